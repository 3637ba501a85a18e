import assert from 'node:assert/strict';
import type { Attributes } from '@opentelemetry/api';
import {
  AggregationTemporality,
  type Histogram,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import type { Point } from '../../src/export/points.ts';
import {
  type ProducerOptions,
  SnapshotMetricProducer,
  type SnapshotSource,
} from '../../src/export/producer.ts';

export const CUMULATIVE = (): AggregationTemporality => AggregationTemporality.CUMULATIVE;
export const DELTA = (): AggregationTemporality => AggregationTemporality.DELTA;

/** A producer of Swiss maps' metrics, cumulative unless said otherwise. */
export function producerOf(
  source: SnapshotSource,
  options: Partial<ProducerOptions> = {},
): SnapshotMetricProducer {
  return new SnapshotMetricProducer({
    source,
    mapImplementation: 'swiss',
    temporality: CUMULATIVE,
    ...options,
  });
}

/** One collection without errors. */
export async function collect(producer: SnapshotMetricProducer): Promise<ResourceMetrics> {
  const { resourceMetrics, errors } = await producer.collect();
  assert.deepEqual(errors, []);
  return resourceMetrics;
}

export function metricNames(metrics: ResourceMetrics): string[] {
  return metrics.scopeMetrics.flatMap((scope) => scope.metrics.map(({ descriptor }) => descriptor.name));
}

export function metricOf(metrics: ResourceMetrics, name: string): MetricData | undefined {
  return metrics.scopeMetrics
    .flatMap((scope) => scope.metrics)
    .find(({ descriptor }) => descriptor.name === name);
}

/** The points of a histogram; none when the metric is not there. */
export function histogramPoints(metrics: ResourceMetrics, name: string): Point<Histogram>[] {
  return (metricOf(metrics, name)?.dataPoints ?? []).flatMap((point) => {
    const { value } = point;
    return typeof value === 'object' && 'buckets' in value ? [{ ...point, value }] : [];
  });
}

/** Attributes and values of a metric's numbers; none when the metric is not there. */
export function numbers(metrics: ResourceMetrics, name: string): { attributes: Attributes; value: number }[] {
  return (metricOf(metrics, name)?.dataPoints ?? []).flatMap(({ attributes, value }) =>
    typeof value === 'number' ? [{ attributes, value }] : [],
  );
}

export function sumOfNumbers(metrics: ResourceMetrics, name: string): number {
  return numbers(metrics, name).reduce((sum, { value }) => sum + value, 0);
}
