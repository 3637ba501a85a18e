import { fileURLToPath } from 'node:url';
import { loadSync } from '@grpc/proto-loader';

/*
 * Decodes what is sent with protobufjs and the receiver's .proto file. 64-bit integers are text, repeated fields
 * arrays, absent fields absent.
 */

export interface DecodedKeyValue {
  key: string;
  value: { stringValue?: string; intValue?: string; boolValue?: boolean; doubleValue?: number };
}

export interface DecodedExemplar {
  timeUnixNano: string;
  asDouble?: number;
  asInt?: string;
  traceId?: Uint8Array;
  spanId?: Uint8Array;
  filteredAttributes?: DecodedKeyValue[];
}

/** A point of any kind. */
export interface DecodedPoint {
  startTimeUnixNano: string;
  timeUnixNano: string;
  exemplars?: DecodedExemplar[];
}

interface DecodedData {
  dataPoints?: DecodedPoint[];
}

export interface DecodedMetric {
  name: string;
  gauge?: DecodedData;
  sum?: DecodedData;
  histogram?: DecodedData;
  exponentialHistogram?: DecodedData;
}

export interface DecodedRequest {
  resourceMetrics: { scopeMetrics?: { metrics?: DecodedMetric[] }[] }[];
}

const PROTO = fileURLToPath(new URL('../support/otlp-receiver/otlp-metrics.proto', import.meta.url));
const SERVICE = 'opentelemetry.proto.collector.metrics.v1.MetricsService';
const decoder = loadDecoder();

/** The request in those bytes. */
export function decode(bytes: Uint8Array): DecodedRequest {
  return decoder(Buffer.from(bytes)) as DecodedRequest;
}

/** All points of a request, in order. */
export function decodedPoints({ resourceMetrics }: DecodedRequest): DecodedPoint[] {
  return resourceMetrics
    .flatMap(({ scopeMetrics = [] }) => scopeMetrics)
    .flatMap(({ metrics = [] }) => metrics)
    .flatMap((metric) => {
      const data = metric.gauge ?? metric.sum ?? metric.histogram ?? metric.exponentialHistogram;
      return data?.dataPoints ?? [];
    });
}

function loadDecoder(): (bytes: Buffer) => object {
  const definition = loadSync(PROTO, { longs: String, enums: String })[SERVICE];
  if (definition === undefined || 'format' in definition || definition.Export === undefined) {
    throw new Error(`${PROTO} does not define ${SERVICE}`);
  }
  return definition.Export.requestDeserialize;
}
