import type { Attributes } from '@opentelemetry/api';
import type { Distribution, LookupCost, Overhead, Snapshot } from '../model/snapshot.ts';
import { goroutineAttributes, seriesKey } from './attributes.ts';
import type { ChosenExemplars, DroppedCandidates, ExemplarPoint, ExemplarReservoir } from './exemplars.ts';
import type { SeriesByGoroutine } from './goroutine-series.ts';
import {
  ATTRIBUTES,
  FOLLOWING_METRICS,
  GOROUTINE_METRICS,
  MAP_METRICS,
  type MetricContract,
  SELF_METRICS,
  SPIKE_METRICS,
} from './metrics.ts';
import type { Series } from './series.ts';

/** Value of one series since the start of the observation; of gauges, now. */
export interface Measured<T> {
  /** Identity of the series within its metric. */
  key: string;
  attributes: Attributes;
  value: T;
  /** When it began to count; default: with the observation. */
  since?: bigint;
  /** Nothing new will come: what is told as a whole leaves it out. */
  ended?: boolean;
  /** Chooses exemplars for a point of this series, whose interval and counts depend on the temporality. */
  exemplars?: (point: ExemplarPoint) => ChosenExemplars | undefined;
}

/** One metric with its series, before a temporality is chosen. */
export type Measurement =
  | { contract: MetricContract; histograms: readonly Measured<Distribution>[] }
  | { contract: MetricContract; numbers: readonly Measured<number>[] };

/** The series of a snapshot, grouped once by each set of attributes that metrics use. */
export interface SnapshotSeries {
  /** By call site, type and result. */
  byResult: readonly Series[];
  /** By call site and type. */
  bySite: readonly Series[];
}

/** Facts about the target's maps, metric by metric. */
export function mapMeasurements(series: SnapshotSeries, exemplars: ExemplarReservoir): Measurement[] {
  const { byResult, bySite } = series;
  return [
    histograms(MAP_METRICS.probeLength, byResult, ({ stats }) => stats.probeLength, exemplars),
    histograms(MAP_METRICS.keyComparisons, byResult, ({ stats }) => stats.keyComparisons, exemplars),
    histograms(MAP_METRICS.homePosition, byResult, ({ stats }) => stats.homePosition),
    histograms(MAP_METRICS.loadFactor, byResult, ({ stats }) => stats.loadFactor),
    numbers(MAP_METRICS.lookups, byResult, ({ stats }) => stats.lookups),
    numbers(MAP_METRICS.estimatedLookups, byResult, ({ stats }) => stats.estimatedLookups),
    numbers(MAP_METRICS.growing, byResult, ({ stats }) => stats.growing),
    numbers(MAP_METRICS.entries, bySite, ({ stats }) => stats.largest.entries),
    numbers(MAP_METRICS.buckets, bySite, ({ stats }) => stats.largest.buckets),
    numbers(MAP_METRICS.overflowBuckets, bySite, ({ stats }) => stats.largest.overflowBuckets),
    numbers(MAP_METRICS.tombstones, bySite, ({ stats }) => stats.largest.tombstones),
  ];
}

/** What the lookups of single goroutines cost, and in one series those of all others. */
export function goroutineMeasurements({ series, other }: SeriesByGoroutine): Measurement[] {
  const measured = (measure: (cost: LookupCost) => Distribution): Measured<Distribution>[] => {
    const attributes = { [ATTRIBUTES.overflow.name]: true };
    const rest = { key: seriesKey(attributes), attributes, value: measure(other) };
    return [
      ...series.map((one) => ({
        key: String(one.goroutine),
        attributes: goroutineAttributes(one),
        value: measure(one.told),
        since: one.since,
        ended: one.ended,
      })),
      ...(other.lookups > 0 ? [rest] : []),
    ];
  };
  return [
    { contract: GOROUTINE_METRICS.probeLength, histograms: measured(({ probeLength }) => probeLength) },
    {
      contract: GOROUTINE_METRICS.keyComparisons,
      histograms: measured(({ keyComparisons }) => keyComparisons),
    },
  ];
}

/** Facts about the export that are not in the snapshot. */
export interface ExportFacts {
  overflowedSeries: number;
  failedExports: number;
  droppedExemplars: DroppedCandidates;
}

/** The sidecar's account of its own work, metric by metric. */
export function selfMeasurements(snapshot: Snapshot, facts: ExportFacts): Measurement[] {
  return [
    single(SELF_METRICS.hits, snapshot.hits),
    single(SELF_METRICS.observed, snapshot.observed),
    single(SELF_METRICS.deferred, snapshot.deferred),
    byReason(SELF_METRICS.unreadable, snapshot.unreadable),
    byReason(SELF_METRICS.dropped, snapshot.dropped),
    byReason(SELF_METRICS.inexact, snapshot.inexact),
    byReason(SELF_METRICS.unattributed, snapshot.goroutines?.unattributed ?? {}),
    single(SELF_METRICS.windows, snapshot.windows),
    single(SELF_METRICS.attachedTime, snapshot.attachedSeconds),
    single(SELF_METRICS.notDecoded, snapshot.notDecoded),
    ...overheadMeasurements(snapshot.overhead),
    single(SELF_METRICS.refusedFunctions, snapshot.refused.length),
    single(SELF_METRICS.overflowedSeries, facts.overflowedSeries),
    single(SELF_METRICS.failedExports, facts.failedExports),
    byReason(SELF_METRICS.droppedExemplars, { ...facts.droppedExemplars }),
    ...spikeMeasurements(snapshot),
    ...followingMeasurements(snapshot),
  ];
}

function spikeMeasurements({ spikes }: Snapshot): Measurement[] {
  if (spikes === undefined) {
    return [];
  }
  return [single(SPIKE_METRICS.seen, spikes.seen), byReason(SPIKE_METRICS.suppressed, spikes.suppressed)];
}

function followingMeasurements({ following }: Snapshot): Measurement[] {
  if (following === undefined) {
    return [];
  }
  return [
    byKey(FOLLOWING_METRICS.events, ATTRIBUTES.event.name, following.events),
    byReason(FOLLOWING_METRICS.lost, following.lost),
  ];
}

function overheadMeasurements(overhead: Overhead): Measurement[] {
  const { costSeconds, targetCpuSeconds, budget } = overhead;
  return [
    single(SELF_METRICS.overheadTime, costSeconds),
    single(SELF_METRICS.targetCpuTime, targetCpuSeconds),
    ...(targetCpuSeconds > 0 ? [single(SELF_METRICS.overheadShare, costSeconds / targetCpuSeconds)] : []),
    ...(budget === null ? [] : [single(SELF_METRICS.overheadBudget, budget)]),
    single(SELF_METRICS.trapCost, overhead.trapSeconds),
    single(SELF_METRICS.decodeCost, overhead.decodeSeconds),
    single(SELF_METRICS.overheadMeasured, Number(overhead.measured)),
    single(SELF_METRICS.otherHits, overhead.otherHits),
    single(SELF_METRICS.fullWindows, overhead.fullWindows),
    single(SELF_METRICS.overheadStops, overhead.stops),
  ];
}

function histograms(
  contract: MetricContract,
  series: readonly Series[],
  measure: (series: Series) => Distribution,
  exemplars?: ExemplarReservoir,
): Measurement {
  return {
    contract,
    histograms: series.map((one) => ({
      ...identity(one),
      value: measure(one),
      ...(exemplars && { exemplars: (point) => exemplars.choose(contract.name, one.key, point) }),
    })),
  };
}

function numbers(
  contract: MetricContract,
  series: readonly Series[],
  measure: (series: Series) => number,
): Measurement {
  return { contract, numbers: series.map((one) => ({ ...identity(one), value: measure(one) })) };
}

function identity({ key, attributes }: Series): Pick<Series, 'key' | 'attributes'> {
  return { key, attributes };
}

function single(contract: MetricContract, value: number): Measurement {
  return { contract, numbers: [{ key: '', attributes: {}, value }] };
}

function byReason(contract: MetricContract, counts: Readonly<Record<string, number>>): Measurement {
  return byKey(contract, ATTRIBUTES.reason.name, counts);
}

function byKey(
  contract: MetricContract,
  attribute: string,
  counts: Readonly<Record<string, number>>,
): Measurement {
  return {
    contract,
    numbers: Object.entries(counts).map(([key, value]) => {
      const attributes = { [attribute]: key };
      return { key: seriesKey(attributes), attributes, value };
    }),
  };
}
