/*
 * What the receiver reads of otlp-metrics.proto once decoded: repeated fields are arrays, absent messages null, 64-bit
 * integers numbers: counts are exact to 2^53, times to about 256 ns.
 */

export interface AnyValueMessage {
  value?: 'stringValue' | 'boolValue' | 'intValue' | 'doubleValue' | 'arrayValue';
  stringValue?: string;
  boolValue?: boolean;
  intValue?: number;
  doubleValue?: number;
  arrayValue?: { values: AnyValueMessage[] };
}

export interface KeyValueMessage {
  key: string;
  value: AnyValueMessage | null;
}

export interface ExemplarMessage {
  timeUnixNano: number;
  asDouble?: number;
  asInt?: number;
  spanId: Uint8Array;
  traceId: Uint8Array;
  filteredAttributes: KeyValueMessage[];
}

export interface NumberPointMessage {
  startTimeUnixNano: number;
  timeUnixNano: number;
  asDouble?: number;
  asInt?: number;
  exemplars: ExemplarMessage[];
  attributes: KeyValueMessage[];
}

export interface HistogramPointMessage {
  startTimeUnixNano: number;
  timeUnixNano: number;
  count: number;
  sum?: number;
  bucketCounts: number[];
  explicitBounds: number[];
  exemplars: ExemplarMessage[];
  attributes: KeyValueMessage[];
}

interface BucketsMessage {
  offset: number;
  bucketCounts: number[];
}

export interface ExponentialPointMessage {
  startTimeUnixNano: number;
  timeUnixNano: number;
  count: number;
  sum?: number;
  scale: number;
  zeroCount: number;
  zeroThreshold: number;
  positive: BucketsMessage | null;
  negative: BucketsMessage | null;
  exemplars: ExemplarMessage[];
  attributes: KeyValueMessage[];
}

export type TemporalityMessage = `AGGREGATION_TEMPORALITY_${'UNSPECIFIED' | 'DELTA' | 'CUMULATIVE'}`;

export interface MetricMessage {
  name: string;
  unit: string;
  gauge?: { dataPoints: NumberPointMessage[] };
  sum?: {
    dataPoints: NumberPointMessage[];
    aggregationTemporality: TemporalityMessage;
    isMonotonic: boolean;
  };
  histogram?: { dataPoints: HistogramPointMessage[]; aggregationTemporality: TemporalityMessage };
  exponentialHistogram?: {
    dataPoints: ExponentialPointMessage[];
    aggregationTemporality: TemporalityMessage;
  };
}

export interface ExportRequestMessage {
  resourceMetrics: {
    resource: { attributes: KeyValueMessage[] } | null;
    scopeMetrics: { scope: { name: string; version: string } | null; metrics: MetricMessage[] }[];
  }[];
}

/** A value of an attribute. */
export type AttributeValue = string | number | boolean | AttributeValue[] | null;

/** Attributes as a plain object. */
export function plainAttributes(pairs: readonly KeyValueMessage[]): Record<string, AttributeValue> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, plainValue(value)]));
}

function plainValue(value: AnyValueMessage | null): AttributeValue {
  if (value === null) {
    return null;
  }
  if (value.arrayValue) {
    return value.arrayValue.values.map(plainValue);
  }
  return value.stringValue ?? value.boolValue ?? value.intValue ?? value.doubleValue ?? null;
}
