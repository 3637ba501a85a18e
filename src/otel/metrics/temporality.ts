import type { GaugeMetricData, MetricData, ResourceMetrics, SumMetricData } from '@opentelemetry/sdk-metrics';
import { AggregationTemporality, DataPointType, InstrumentType } from '@opentelemetry/sdk-metrics';
import { subtractDistribution } from '../../model/buckets.ts';
import type { Distribution } from '../../model/distribution.ts';
import { seriesKey } from '../contract/attributes.ts';
import type { MetricContract } from '../contract/metrics.ts';
import type { ExemplarPoint } from '../exemplars/reservoir.ts';
import { exponentialValue } from './exponential.ts';
import type { Measured, Measurement } from './measurements.ts';
import { histogramValue, type Interval, metricData, type Point, point } from './points.ts';
import { RisingCounts, ValuesBySeries } from './rising.ts';
import type { Ending } from './series.ts';

/** Which temporality the exporter wants for a kind of instrument: its `selectAggregationTemporality`. */
export type TemporalitySelector = (instrument: InstrumentType) => AggregationTemporality;

/** How histograms of counts are sent: with the kernel's buckets, or with those of exponential histograms. */
export type HistogramAggregation = 'explicit' | 'exponential';

interface Baseline<T> {
  /** Number of the point that took it there: the clock's time does not say which of two came first. */
  sequence: number;
  time: bigint;
  value: T;
}

/** One point of a histogram, before its form is chosen. */
interface HistogramPart {
  series: Measured<Distribution>;
  interval: Interval;
  value: Distribution;
  /** Moves the baseline of the next delta to this point. */
  onDelivery?: () => void;
}

/**
 * Turns measurements, which count up from the start of the observation, into the metric data of an export: unchanged
 * (cumulative), or as the difference to what the receiver has (delta).
 *
 * A delta is the difference to what was last delivered, series by series, not to what was last tried. So the next export makes
 * up for a failed one. The exporter must call `acknowledge` with what was delivered.
 */
export class TemporalityWriter {
  readonly #select: TemporalitySelector;
  readonly #aggregation: HistogramAggregation;
  readonly #distributions = new ValuesBySeries<Baseline<Distribution>>();
  readonly #numbers = new ValuesBySeries<Baseline<number>>();
  readonly #rising = new RisingCounts();
  #points = 0;
  /** What to do when a point has been delivered; points are found by identity. */
  readonly #onDelivery = new WeakMap<object, () => void>();

  constructor(select: TemporalitySelector, aggregation: HistogramAggregation) {
    this.#select = select;
    this.#aggregation = aggregation;
  }

  /** Series whose counts would have fallen so far, and were kept as they were. */
  get held(): number {
    return this.#rising.held;
  }

  /** The metric's data for an export, or undefined if it has no points. */
  write(measurement: Measurement, observed: Interval): MetricData | undefined {
    const { contract } = measurement;
    const temporality = this.#temporalityOf(contract.kind);
    const delta = temporality === AggregationTemporality.DELTA && contract.kind !== 'gauge';
    if ('histograms' in measurement) {
      const parts = measurement.histograms.flatMap((counted) => {
        const value = this.#rising.distribution(contract.name, counted.key, counted.value);
        const series = { ...counted, value };
        const own = ownInterval(series, observed);
        const part: HistogramPart | undefined = delta
          ? this.#deltaHistogram(contract, series, own)
          : isOver(contract.name, series)
            ? undefined
            : { series, interval: own, value };
        return untilDelivered(part, contract.name, series.ending) ?? [];
      });
      return parts.length === 0 ? undefined : this.#histogramData(contract, temporality, parts);
    }
    const kind = contract.kind === 'gauge' ? 'gauge' : 'counter';
    const points = measurement.numbers.flatMap((series) =>
      kind === 'gauge'
        ? numberPoint(series, observed)
        : this.#counted(contract.name, delta, series, observed),
    );
    return points.length === 0 ? undefined : metricData(contract, temporality, { kind, points });
  }

  /** The same for a metric that the SDK has collected from an instrument. Counters count from the start of the observation. */
  writeCollected(
    metric: SumMetricData | GaugeMetricData,
    observed: Interval,
  ): SumMetricData | GaugeMetricData | undefined {
    const counter = metric.dataPointType === DataPointType.SUM;
    const temporality = counter ? this.#temporalityOf('counter') : this.#temporalityOf('gauge');
    const delta = counter && temporality === AggregationTemporality.DELTA;
    const dataPoints = metric.dataPoints.flatMap(({ attributes, value }) => {
      const series = { key: seriesKey(attributes), attributes, value };
      return counter
        ? this.#counted(metric.descriptor.name, delta, series, observed)
        : numberPoint(series, observed);
    });
    return dataPoints.length === 0
      ? undefined
      : { ...metric, aggregationTemporality: temporality, dataPoints };
  }

  /** The series with this key is not sent any more; one that begins later has nothing to do with it. */
  forget(key: string): void {
    this.#rising.forget(key);
    this.#distributions.forget(key);
    this.#numbers.forget(key);
  }

  /** Notes what a receiver has accepted. Data points are recognized by identity. */
  acknowledge(delivered: ResourceMetrics): void {
    for (const { metrics } of delivered.scopeMetrics) {
      for (const { dataPoints } of metrics) {
        for (const dataPoint of dataPoints) {
          this.#onDelivery.get(dataPoint)?.();
        }
      }
    }
  }

  #temporalityOf(kind: MetricContract['kind']): AggregationTemporality {
    switch (kind) {
      case 'histogram':
        return this.#select(InstrumentType.HISTOGRAM);
      // The kernel counts, and mapscope reads the counts from time to time: the SDK calls that an observable counter.
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
    // Ratios keep their buckets: the first one, from 0 to 0.1, would span infinitely many exponential ones.
    if (this.#aggregation === 'exponential' && contract.integer) {
      const points = parts.map((part) => this.#histogramPoint(part, exponentialValue, 'time'));
      return metricData(contract, temporality, { kind: 'exponential histogram', points });
    }
    const points = parts.map((part) => this.#histogramPoint(part, histogramValue, 'bucket'));
    return metricData(contract, temporality, { kind: 'histogram', points });
  }

  #histogramPoint<T>(
    { series, interval, value, onDelivery }: HistogramPart,
    form: (value: Distribution) => T,
    order: ExemplarPoint['order'],
  ): Point<T> {
    const { attributes } = series;
    const chosen = series.exemplars?.({ interval, attributes, counts: value.counts, order });
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
  ): HistogramPart | undefined {
    const { value, key } = series;
    const before = this.#distributions.get(contract.name, key);
    const increase = before === undefined ? value : subtractDistribution(value, before.value);
    if (increase.counts.every((count) => count === 0)) {
      return undefined;
    }
    const delivered = { sequence: this.#points++, time: observed.end, value };
    return {
      series,
      interval: since(before, observed),
      value: increase,
      onDelivery: () => advance(this.#distributions, contract.name, key, delivered),
    };
  }

  #counted(metric: string, delta: boolean, counted: Measured<number>, observed: Interval): Point<number>[] {
    const series = { ...counted, value: this.#rising.number(metric, counted.key, counted.value) };
    const own = ownInterval(series, observed);
    const part: NumberPart | undefined = delta
      ? this.#deltaNumber(metric, series, own)
      : isOver(metric, series)
        ? undefined
        : { made: numberPoint(series, own) };
    const told = untilDelivered(part, metric, series.ending);
    if (told?.onDelivery !== undefined) {
      this.#onDelivery.set(told.made, told.onDelivery);
    }
    return told === undefined ? [] : [told.made];
  }

  #deltaNumber(metric: string, series: Measured<number>, observed: Interval): NumberPart | undefined {
    const before = this.#numbers.get(metric, series.key);
    const increase = series.value - (before?.value ?? 0);
    if (increase === 0) {
      return undefined;
    }
    const delivered = { sequence: this.#points++, time: observed.end, value: series.value };
    return {
      made: numberPoint({ ...series, value: increase }, since(before, observed)),
      onDelivery: () => advance(this.#numbers, metric, series.key, delivered),
    };
  }
}

/** Whether a receiver would count something twice that it takes twice. Gauges have a temporality as well, which says nothing. */
export function hasDeltas({ scopeMetrics }: ResourceMetrics): boolean {
  return scopeMetrics
    .flatMap(({ metrics }) => metrics)
    .some(
      ({ dataPointType, aggregationTemporality }) =>
        dataPointType !== DataPointType.GAUGE && aggregationTemporality === AggregationTemporality.DELTA,
    );
}

/** A point of a counter. */
interface NumberPart {
  made: Point<number>;
  onDelivery?: () => void;
}

/** Part of a series that has ended: when it has been delivered, or there is nothing left to deliver, that is noted. */
function untilDelivered<T extends { onDelivery?: () => void }>(
  part: T | undefined,
  metric: string,
  ending: Ending | undefined,
): T | undefined {
  if (ending === undefined) {
    return part;
  }
  if (part === undefined) {
    ending.delivered.add(metric);
    return undefined;
  }
  const { onDelivery } = part;
  return {
    ...part,
    onDelivery: () => {
      onDelivery?.();
      ending.delivered.add(metric);
    },
  };
}

/** Whether a cumulative export leaves the series out. */
function isOver(metric: string, { ended, ending }: Measured<unknown>): boolean {
  return ended === true || ending?.delivered.has(metric) === true;
}

/** From the start of the observation, or from a later one of the series, to now. */
function ownInterval({ since: start }: Measured<unknown>, observed: Interval): Interval {
  return { start: start ?? observed.start, end: observed.end };
}

function numberPoint(series: Measured<number>, interval: Interval): Point<number> {
  return point(interval, series.attributes, series.value);
}

function since(before: Baseline<unknown> | undefined, observed: Interval): Interval {
  return { start: before?.time ?? observed.start, end: observed.end };
}

/** An older export that is delivered late must not move the baseline back. */
function advance<T>(
  baselines: ValuesBySeries<Baseline<T>>,
  metric: string,
  key: string,
  to: Baseline<T>,
): void {
  const current = baselines.get(metric, key);
  if (current === undefined || current.sequence < to.sequence) {
    baselines.set(metric, key, to);
  }
}
