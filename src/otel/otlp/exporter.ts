import { OTLPMetricExporterBase } from '@opentelemetry/exporter-metrics-otlp-http';
import {
  type IExportMetricsServiceResponse,
  type ISerializer,
  LogsExporterMetricsHelper,
  MetricsExporterMetricsHelper,
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
} from '@opentelemetry/otlp-transformer';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { Log } from '../../base/log.ts';
import type { TemporalitySelector } from '../metrics/temporality.ts';
import type { Endpoint } from '../settings/endpoint.ts';
import { serializeMetrics } from './request.ts';
import { SAMPLE_METRICS } from './self-check.ts';
import { createSender, type Sender } from './sender.ts';
import { BackwardWriter } from './writer.ts';

/*
 * OpenTelemetry's OTLP exporters with a serializer of our own, because theirs leaves exemplars out. The check below sees to it
 * that another version of the packages costs exemplars and no more. When OpenTelemetry's own serializer writes exemplars
 * (opentelemetry-js pull request 6830), our points need no change, and ours can go.
 */

type MetricsSerializer = ISerializer<ResourceMetrics, IExportMetricsServiceResponse>;

/** Sends metrics, and says which temporality the variables ask for. */
export type MetricSender = Sender<ResourceMetrics> & { selectAggregationTemporality: TemporalitySelector };

/** For metrics to an endpoint. */
export function createMetricSender(endpoint: Endpoint, log: Log): MetricSender {
  const serializer = chooseSerializer(exemplarSerializer(), log);
  const sender = createSender(endpoint, { serializer, helper: MetricsExporterMetricsHelper });
  // The official exporter reads the preference; what it would send with goes unused.
  const official = new OTLPMetricExporterBase(UNUSED, {});
  return {
    ...sender,
    selectAggregationTemporality: (instrument) => official.selectAggregationTemporality(instrument),
  };
}

/** For log records to an endpoint. */
export function createLogSender(endpoint: Endpoint): Sender<ReadableLogRecord[]> {
  return createSender(endpoint, { serializer: ProtobufLogsSerializer, helper: LogsExporterMetricsHelper });
}

const UNUSED = {
  export: () => {},
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
  setMetrics: () => {},
};

/**
 * `own`, if it writes a sample without exemplars byte for byte as the stock serializer does; else the stock one, which
 * leaves exemplars out.
 */
export function chooseSerializer(own: MetricsSerializer, log: Log): MetricsSerializer {
  if (sameBytes(own, ProtobufMetricsSerializer)) {
    return own;
  }
  log(
    'warn',
    'mapscope sends metrics without exemplars: the installed OpenTelemetry packages encode metrics differently from those ' +
      'in package-lock.json.',
  );
  return ProtobufMetricsSerializer;
}

function sameBytes(own: MetricsSerializer, stock: MetricsSerializer): boolean {
  try {
    const [a, b] = [own, stock].map((serializer) => serializer.serializeRequest(SAMPLE_METRICS));
    return a !== undefined && b !== undefined && Buffer.compare(a, b) === 0;
  } catch {
    return false;
  }
}

function exemplarSerializer(): MetricsSerializer {
  // Its memory grows to that of the largest request. Where each one began anew, half of what an export left behind came from growing.
  const writer = new BackwardWriter();
  return {
    serializeRequest: (metrics) => serializeMetrics(metrics, writer).slice(),
    deserializeResponse: (response) => ProtobufMetricsSerializer.deserializeResponse(response),
  };
}
