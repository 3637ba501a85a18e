import type { ExportResult } from '@opentelemetry/core';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-grpc';
import type { ExporterMetrics, IOtlpExportDelegate } from '@opentelemetry/otlp-exporter-base';
import {
  convertLegacyOtlpGrpcOptions,
  createOtlpGrpcExportDelegate,
} from '@opentelemetry/otlp-grpc-exporter-base';
import {
  type IExportMetricsServiceResponse,
  type ISerializer,
  MetricsExporterMetricsHelper,
  ProtobufMetricsSerializer,
} from '@opentelemetry/otlp-transformer';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { Log } from './delivery.ts';
import { serializeMetrics } from './otlp-metrics.ts';
import { SAMPLE_METRICS } from './otlp-sample.ts';

/*
 * The official OTLP/gRPC exporter with a serializer of our own, because the official one leaves exemplars out. This is the
 * only file that uses packages which OpenTelemetry calls internal; package.json pins their versions, and the check below
 * sees to it that another version costs exemplars and no more. When OpenTelemetry's own serializer writes exemplars
 * (opentelemetry-js pull request 6830), our points need no change, and this file and the serializer can go.
 */

type MetricsSerializer = ISerializer<ResourceMetrics, IExportMetricsServiceResponse>;
type ExporterConfiguration = NonNullable<ConstructorParameters<typeof OTLPMetricExporter>[0]>;

const COMPONENT_TYPE = 'otlp_grpc_metric_exporter';
const SERVICE = 'MetricsExportService';
const PATH = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';

/** The exporter for an endpoint. All else it reads from the environment, as the official one does. */
export function createMetricExporter(url: string, log: Log): OTLPMetricExporter {
  return new ExemplarMetricExporter(chooseSerializer(exemplarSerializer(), log), { url });
}

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
    'Metrics are sent without exemplars: the OpenTelemetry packages installed encode metrics differently from those ' +
      'that package-lock.json names.',
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
  // Requests of one observation are much alike.
  let capacity: number | undefined;
  return {
    serializeRequest: (metrics) => {
      const bytes = serializeMetrics(metrics, capacity);
      capacity = bytes.length + 1024;
      return bytes;
    },
    deserializeResponse: (response) => ProtobufMetricsSerializer.deserializeResponse(response),
  };
}

/** The official exporter, with configuration and selectors as they are; what it would send itself is never used. */
class ExemplarMetricExporter extends OTLPMetricExporter {
  readonly #delegate: IOtlpExportDelegate<ResourceMetrics>;

  constructor(serializer: MetricsSerializer, configuration: ExporterConfiguration) {
    super(configuration);
    this.#delegate = createOtlpGrpcExportDelegate(
      convertLegacyOtlpGrpcOptions(configuration, 'METRICS'),
      serializer,
      COMPONENT_TYPE,
      MetricsExporterMetricsHelper,
      configuration.selfObsMeterProvider,
      SERVICE,
      PATH,
    );
  }

  override export(metrics: ResourceMetrics, resultCallback: (result: ExportResult) => void): void {
    this.#delegate.export(metrics, resultCallback);
  }

  override forceFlush(): Promise<void> {
    return this.#delegate.forceFlush();
  }

  override async shutdown(): Promise<void> {
    await this.#delegate.shutdown();
    await super.shutdown();
  }

  protected override setMetrics(metrics: ExporterMetrics<ResourceMetrics>): void {
    this.#delegate.setMetrics(metrics);
  }
}
