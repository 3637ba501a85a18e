import type { Histogram, MetricData, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { AggregationTemporality, InstrumentType } from '@opentelemetry/sdk-metrics';
import type { Distribution } from '../model/snapshot.ts';
import type { Measured, Measurement } from './measurements.ts';
import type { MetricContract } from './metrics.ts';
import { histogramValue, type Interval, metricData, type Point, point } from './points.ts';

/** Which temporality the exporter wants for a kind of instrument; an exporter's `selectAggregationTemporality`. */
export type TemporalitySelector = (instrument: InstrumentType) => AggregationTemporality;

interface Baseline<T> {
  time: bigint;
  value: T;
}

/**
 * Turns measurements, which count up from the start of the observation, into the metric data of an export: as they are
 * (cumulative), or as the difference to what the receiver has (delta).
 *
 * Deltas are taken against what was delivered, series by series, not against what was last tried: a failed export is
 * made good by the next one. Whoever exports must therefore call `acknowledge` with what was delivered.
 */
export class TemporalityWriter {
  readonly #select: TemporalitySelector;
  readonly #distributions = new Map<string, Baseline<Distribution>>();
  readonly #numbers = new Map<string, Baseline<number>>();
  /** What to remember when a point, known by identity, turns out to be delivered. */
  readonly #onDelivery = new WeakMap<object, () => void>();

  constructor(select: TemporalitySelector) {
    this.#select = select;
  }

  /** The metric's data for an export, or undefined when there is nothing to tell. */
  write(measurement: Measurement, observed: Interval): MetricData | undefined {
    const { contract } = measurement;
    const temporality = this.#temporalityOf(contract);
    const delta = temporality === AggregationTemporality.DELTA && contract.kind !== 'gauge';
    if ('histograms' in measurement) {
      const points = measurement.histograms.flatMap((series) =>
        delta ? this.#deltaHistogram(contract, series, observed) : histogramPoint(series, observed),
      );
      return points.length === 0
        ? undefined
        : metricData(contract, temporality, { kind: 'histogram', points });
    }
    const points = measurement.numbers.flatMap((series) =>
      delta ? this.#deltaNumber(contract, series, observed) : numberPoint(series, observed),
    );
    const kind = contract.kind === 'gauge' ? 'gauge' : 'counter';
    return points.length === 0 ? undefined : metricData(contract, temporality, { kind, points });
  }

  /** Notes what a receiver has accepted; data points are recognised by identity. */
  acknowledge(delivered: ResourceMetrics): void {
    for (const { metrics } of delivered.scopeMetrics) {
      for (const { dataPoints } of metrics) {
        for (const dataPoint of dataPoints) {
          this.#onDelivery.get(dataPoint)?.();
        }
      }
    }
  }

  #temporalityOf({ kind }: MetricContract): AggregationTemporality {
    switch (kind) {
      case 'histogram':
        return this.#select(InstrumentType.HISTOGRAM);
      // The kernel counts on and is read now and then: an observed counter, in the SDK's words.
      case 'counter':
        return this.#select(InstrumentType.OBSERVABLE_COUNTER);
      case 'gauge':
        return AggregationTemporality.CUMULATIVE;
    }
  }

  #deltaHistogram(
    contract: MetricContract,
    series: Measured<Distribution>,
    observed: Interval,
  ): Point<Histogram>[] {
    const id = `${contract.name} ${series.key}`;
    const { value } = series;
    const before = this.#distributions.get(id);
    const increase = before === undefined ? value : difference(value, before.value);
    if (increase.counts.every((count) => count === 0)) {
      return [];
    }
    const made = histogramPoint({ ...series, value: increase }, since(before, observed));
    // A copy, because whoever made the snapshot may count on in place.
    const delivered = { time: observed.end, value: { ...value, counts: [...value.counts] } };
    this.#onDelivery.set(made, () => advance(this.#distributions, id, delivered));
    return [made];
  }

  #deltaNumber(contract: MetricContract, series: Measured<number>, observed: Interval): Point<number>[] {
    const id = `${contract.name} ${series.key}`;
    const before = this.#numbers.get(id);
    const increase = series.value - (before?.value ?? 0);
    if (increase === 0) {
      return [];
    }
    const made = numberPoint({ ...series, value: increase }, since(before, observed));
    this.#onDelivery.set(made, () => advance(this.#numbers, id, { time: observed.end, value: series.value }));
    return [made];
  }
}

function histogramPoint(series: Measured<Distribution>, interval: Interval): Point<Histogram> {
  return point(interval, series.attributes, histogramValue(series.value), series.exemplars);
}

function numberPoint(series: Measured<number>, interval: Interval): Point<number> {
  return point(interval, series.attributes, series.value, series.exemplars);
}

function since(before: Baseline<unknown> | undefined, observed: Interval): Interval {
  return { start: before?.time ?? observed.start, end: observed.end };
}

/** An older export that is delivered late must not take the baseline back. */
function advance<T>(baselines: Map<string, Baseline<T>>, id: string, to: Baseline<T>): void {
  const current = baselines.get(id);
  if (current === undefined || current.time < to.time) {
    baselines.set(id, to);
  }
}

function difference(now: Distribution, before: Distribution): Distribution {
  return {
    bounds: now.bounds,
    counts: now.counts.map((count, index) => count - (before.counts[index] ?? 0)),
    sum: now.sum - before.sum,
    max: now.max,
  };
}
