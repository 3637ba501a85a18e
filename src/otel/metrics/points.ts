import { type Attributes, type HrTime, ValueType } from '@opentelemetry/api';
import type { AggregationTemporality } from '@opentelemetry/sdk-metrics';
import {
  type DataPoint,
  DataPointType,
  type ExponentialHistogram,
  type Histogram,
  type MetricData,
} from '@opentelemetry/sdk-metrics';
import type { Distribution } from '../../model/distribution.ts';
import type { MetricContract } from '../contract/metrics.ts';

/**
 * One lookup in full, which leads from a histogram to the span that paid for it. The shape is the one that the OpenTelemetry
 * SDK is about to give its own data points, so that ours will need no conversion then.
 */
export interface Exemplar {
  value: number;
  timestamp: HrTime;
  /** Attributes that the data point itself does not carry. */
  filteredAttributes: Attributes;
  /** 32 hexadecimal digits. */
  traceId?: string;
  /** 16 hexadecimal digits. */
  spanId?: string;
}

/** A data point that may carry exemplars. The SDK passes points on by reference, with their exemplars. */
export interface Point<T> extends DataPoint<T> {
  readonly exemplars?: readonly Exemplar[];
}

/** The interval that the value of a data point covers, in Unix nanoseconds. */
export interface Interval {
  start: bigint;
  end: bigint;
}

/** Builds one data point, without the field `exemplars` if there are none. */
export function point<T>(
  interval: Interval,
  attributes: Attributes,
  value: T,
  exemplars: readonly Exemplar[] = [],
): Point<T> {
  return {
    startTime: hrTime(interval.start),
    endTime: hrTime(interval.end),
    attributes,
    value,
    ...(exemplars.length > 0 && { exemplars }),
  };
}

/**
 * The SDK's form of a distribution. It omits minimum and maximum: of a cumulative series they would freeze, and of a delta
 * they are not known.
 */
export function histogramValue({ bounds, counts, sum }: Distribution): Histogram {
  return {
    // Thousands of points share their bounds, and whoever made the counts does not count on in them.
    buckets: { boundaries: bounds as number[], counts },
    count: counts.reduce((all, count) => all + count, 0),
    sum,
  };
}

/** Data points of one metric, with its kind. */
export type PointsOf =
  | { kind: 'histogram'; points: Point<Histogram>[] }
  | { kind: 'exponential histogram'; points: Point<ExponentialHistogram>[] }
  | { kind: 'counter' | 'gauge'; points: Point<number>[] };

/** Adds the metric's name, unit and description to its data points. */
export function metricData(
  contract: MetricContract,
  aggregationTemporality: AggregationTemporality,
  { kind, points: dataPoints }: PointsOf,
): MetricData {
  const descriptor = {
    name: contract.name,
    description: contract.description,
    unit: contract.unit,
    valueType: contract.integer ? ValueType.INT : ValueType.DOUBLE,
  };
  switch (kind) {
    case 'histogram':
      return { descriptor, aggregationTemporality, dataPointType: DataPointType.HISTOGRAM, dataPoints };
    case 'exponential histogram':
      return {
        descriptor,
        aggregationTemporality,
        dataPointType: DataPointType.EXPONENTIAL_HISTOGRAM,
        dataPoints,
      };
    case 'counter':
      return {
        descriptor,
        aggregationTemporality,
        dataPointType: DataPointType.SUM,
        dataPoints,
        isMonotonic: true,
      };
    case 'gauge':
      return { descriptor, aggregationTemporality, dataPointType: DataPointType.GAUGE, dataPoints };
  }
}

/** The latest times: those of thousands of points are a few, which share them. */
let latest: readonly (readonly [unixNano: bigint, time: HrTime])[] = [];
const MOST_SHARED = 4;

/** Unix nanoseconds as seconds and nanoseconds. What it returns is shared, and must not be changed. */
export function hrTime(unixNano: bigint): HrTime {
  const known = latest.find(([time]) => time === unixNano);
  if (known !== undefined) {
    return known[1];
  }
  const time: HrTime = [Number(unixNano / 1_000_000_000n), Number(unixNano % 1_000_000_000n)];
  latest = [[unixNano, time] as const, ...latest].slice(0, MOST_SHARED);
  return time;
}
