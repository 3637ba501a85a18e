import type { MetricData, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { AggregationTemporality, InstrumentType } from '@opentelemetry/sdk-metrics';
import { subtractDistribution } from '../model/buckets.ts';
import type { Distribution } from '../model/snapshot.ts';
import { exponentialValue } from './exponential.ts';
import type { Measured, Measurement } from './measurements.ts';
import type { MetricContract } from './metrics.ts';
import { histogramValue, type Interval, metricData, type Point, point } from './points.ts';

/** Which temporality the exporter wants for a kind of instrument; an exporter's `selectAggregationTemporality`. */
export type TemporalitySelector = (instrument: InstrumentType) => AggregationTemporality;

/** How histograms of counts are sent: with the kernel's buckets, or with those of exponential histograms. */
export type HistogramAggregation = 'explicit' | 'exponential';

interface Baseline<T> {
  time: bigint;
  value: T;
}

/** One point of a histogram, before its form is chosen. */
interface HistogramPart {
  series: Measured<Distribution>;
  interval: Interval;
  value: Distribution;
  /** Takes the baseline of a delta to here. */
  onDelivery?: () => void;
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
  readonly #aggregation: HistogramAggregation;
  readonly #distributions = new Map<string, Baseline<Distribution>>();
  readonly #numbers = new Map<string, Baseline<number>>();
  /** What to remember when a point, known by identity, turns out to be delivered. */
  readonly #onDelivery = new WeakMap<object, () => void>();

  constructor(select: TemporalitySelector, aggregation: HistogramAggregation) {
    this.#select = select;
    this.#aggregation = aggregation;
  }

  /** The metric's data for an export, or undefined when there is nothing to tell. */
  write(measurement: Measurement, observed: Interval): MetricData | undefined {
    const { contract } = measurement;
    const temporality = this.#temporalityOf(contract);
    const delta = temporality === AggregationTemporality.DELTA && contract.kind !== 'gauge';
    if ('histograms' in measurement) {
      const parts = measurement.histograms.flatMap((series) => {
        const own = { start: series.since ?? observed.start, end: observed.end };
        if (delta) return this.#deltaHistogram(contract, series, own);
        return series.ended ? [] : { series, interval: own, value: series.value };
      });
      return parts.length === 0 ? undefined : this.#histogramData(contract, temporality, parts);
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

  #histogramData(
    contract: MetricContract,
    temporality: AggregationTemporality,
    parts: readonly HistogramPart[],
  ): MetricData {
    // Ratios stay as they are: their first bucket, (0, 0.1] with 0, spans exponential ones without end.
    if (this.#aggregation === 'exponential' && contract.integer) {
      const points = parts.map((part) => this.#histogramPoint(part, exponentialValue));
      return metricData(contract, temporality, { kind: 'exponential histogram', points });
    }
    const points = parts.map((part) => this.#histogramPoint(part, histogramValue));
    return metricData(contract, temporality, { kind: 'histogram', points });
  }

  #histogramPoint<T>(
    { series, interval, value, onDelivery }: HistogramPart,
    form: (value: Distribution) => T,
  ): Point<T> {
    const { attributes } = series;
    const chosen = series.exemplars?.({ interval, attributes, counts: value.counts });
    const made = point(interval, attributes, form(value), chosen?.exemplars);
    if (chosen !== undefined || onDelivery !== undefined) {
      this.#onDelivery.set(made, () => {
        chosen?.delivered();
        onDelivery?.();
      });
    }
    return made;
  }

  #deltaHistogram(
    contract: MetricContract,
    series: Measured<Distribution>,
    observed: Interval,
  ): HistogramPart[] {
    const id = `${contract.name} ${series.key}`;
    const { value } = series;
    const before = this.#distributions.get(id);
    const increase = before === undefined ? value : subtractDistribution(value, before.value);
    if (increase.counts.every((count) => count === 0)) {
      return [];
    }
    // A copy, because whoever made the snapshot may count on in place.
    const delivered = { time: observed.end, value: { ...value, counts: [...value.counts] } };
    return [
      {
        series,
        interval: since(before, observed),
        value: increase,
        onDelivery: () => advance(this.#distributions, id, delivered),
      },
    ];
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

function numberPoint(series: Measured<number>, interval: Interval): Point<number> {
  return point(interval, series.attributes, series.value);
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
