import assert from 'node:assert/strict';
import type { Attributes } from '@opentelemetry/api';
import {
  AggregationTemporality,
  type CollectionResult,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricCollectOptions,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { VERSION } from '../../src/base/version.ts';
import { SCOPES } from '../../src/otel/contract/metrics.ts';
import { ObservationReader } from '../../src/otel/metrics/observation-reader.ts';
import type { Point } from '../../src/otel/metrics/points.ts';
import {
  type ProducerOptions,
  SnapshotMetricProducer,
  type SnapshotSource,
} from '../../src/otel/metrics/producer.ts';
import { observeSelf } from '../../src/otel/metrics/self-instruments.ts';

export const CUMULATIVE = (): AggregationTemporality => AggregationTemporality.CUMULATIVE;
export const DELTA = (): AggregationTemporality => AggregationTemporality.DELTA;

/** A reader with its producer and instruments, without an exporter. */
export interface Collecting {
  collect(options?: MetricCollectOptions): Promise<CollectionResult>;
  acknowledge(delivered: ResourceMetrics): void;
  readonly lastProblem: unknown;
}

/** Collects Swiss maps' metrics, cumulative unless said otherwise. */
export function producerOf(source: SnapshotSource, options: Partial<ProducerOptions> = {}): Collecting {
  const producer = new SnapshotMetricProducer({
    source,
    mapImplementation: 'swiss',
    temporality: CUMULATIVE,
    ...options,
  });
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new ObservationReader(producer, { exporter });
  const provider = new MeterProvider({ readers: [reader] });
  observeSelf(provider.getMeter(SCOPES.self, VERSION), () => producer.self);
  return {
    collect: (collectOptions) => reader.collect(collectOptions),
    acknowledge: (delivered) => producer.acknowledge(delivered),
    get lastProblem() {
      return producer.lastProblem;
    },
  };
}

/** One collection without errors. */
export async function collect(producer: Collecting): Promise<ResourceMetrics> {
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
