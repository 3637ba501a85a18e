import { emptyResource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type CollectionResult,
  InstrumentType,
  type MetricCollectOptions,
  PeriodicExportingMetricReader,
  type PeriodicExportingMetricReaderOptions,
} from '@opentelemetry/sdk-metrics';
import type { SnapshotMetricProducer } from './producer.ts';

/**
 * The SDK's reader, which reads the observation first in each collection. So instruments and producer report the same moment.
 * If the observation cannot be read, nothing is collected: the SDK would repeat its last values as if they were new.
 *
 * The SDK takes an instrument's delta from the last collection and its start from the first one. A failed export would lose
 * its deltas, and the first export everything before it. So instruments are collected cumulative. The producer gives them
 * the same times and temporality as its own metrics (docs/design/0016-own-telemetry.md).
 */
export class ObservationReader extends PeriodicExportingMetricReader {
  readonly #producer: SnapshotMetricProducer;
  #collectedAt = 0;

  constructor(
    producer: SnapshotMetricProducer,
    options: Omit<PeriodicExportingMetricReaderOptions, 'metricProducers'>,
  ) {
    super({ ...options, metricProducers: [producer] });
    this.#producer = producer;
  }

  /** Delta for gauges: the SDK would repeat a cumulative one after it is no longer observed. */
  override selectAggregationTemporality(instrument: InstrumentType): AggregationTemporality {
    return instrument === InstrumentType.OBSERVABLE_GAUGE
      ? AggregationTemporality.DELTA
      : AggregationTemporality.CUMULATIVE;
  }

  override async collect(options?: MetricCollectOptions): Promise<CollectionResult> {
    const problem = await this.#producer.read(options);
    if (problem !== undefined) {
      return { resourceMetrics: { resource: emptyResource(), scopeMetrics: [] }, errors: [problem] };
    }
    if (Date.now() < this.#collectedAt) {
      // The clock was set back. In the next collection the SDK would keep old gauges, because their time is later.
      await super.collect(options);
    }
    const { resourceMetrics, errors } = await super.collect(options);
    this.#collectedAt = Date.now();
    return { resourceMetrics: this.#producer.deliverable(resourceMetrics), errors };
  }
}
