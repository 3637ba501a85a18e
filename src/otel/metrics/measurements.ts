import type { Attributes } from '@opentelemetry/api';
import type { Distribution } from '../../model/distribution.ts';
import type { LookupStats } from '../../model/merge.ts';
import type { LookupCost, MapState, Overhead, Snapshot } from '../../model/snapshot.ts';
import { goroutineAttributes, seriesKey } from '../contract/attributes.ts';
import {
  ATTRIBUTES,
  FOLLOWING_METRICS,
  GOROUTINE_METRICS,
  MAP_METRICS,
  type MetricContract,
  SELF_METRICS,
  SPIKE_METRICS,
} from '../contract/metrics.ts';
import type {
  ChosenExemplars,
  DroppedCandidates,
  ExemplarPoint,
  ExemplarReservoir,
} from '../exemplars/reservoir.ts';
import type { SeriesByGoroutine } from './goroutine-series.ts';
import type { Ending, Series } from './series.ts';

/** Value of one series: since the start of the observation, or of a gauge now. */
export interface Measured<T> {
  /** Identity of the series within its metric. */
  key: string;
  attributes: Attributes;
  value: T;
  /** When it started to count; by default with the observation. */
  since?: bigint;
  /** It will not grow any more. A cumulative export omits it. */
  ended?: boolean;
  /** It will not grow any more, and is sent until its last state has arrived. */
  ending?: Ending;
  /** Chooses exemplars for a point of this series, whose interval and counts depend on the temporality. */
  exemplars?: (point: ExemplarPoint) => ChosenExemplars | undefined;
}

/** A counter or gauge with its series, before a temporality is chosen. */
export interface NumberMeasurement {
  contract: MetricContract;
  numbers: readonly Measured<number>[];
}

/** One metric with its series, before a temporality is chosen. */
export type Measurement =
  | { contract: MetricContract; histograms: readonly Measured<Distribution>[] }
  | NumberMeasurement;

/** The series of a snapshot, grouped once by each set of attributes that metrics use. */
export interface SnapshotSeries {
  /** By call site, type and result: what counts up. */
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
    states(MAP_METRICS.entries, bySite, ({ largestOfCycle }) => largestOfCycle, 'entries'),
    states(MAP_METRICS.buckets, bySite, ({ largestOfCycle }) => largestOfCycle, 'buckets'),
    states(MAP_METRICS.overflowBuckets, bySite, ({ largestOfCycle }) => largestOfCycle, 'overflowBuckets'),
    states(MAP_METRICS.tombstones, bySite, ({ largestOfCycle }) => largestOfCycle, 'tombstones'),
    states(MAP_METRICS.directory, bySite, ({ largestOfCycle }) => largestOfCycle, 'directory'),
    states(MAP_METRICS.latestEntries, bySite, ({ latest }) => latest, 'entries'),
    states(MAP_METRICS.latestBuckets, bySite, ({ latest }) => latest, 'buckets'),
    states(MAP_METRICS.latestOverflowBuckets, bySite, ({ latest }) => latest, 'overflowBuckets'),
    states(MAP_METRICS.latestTombstones, bySite, ({ latest }) => latest, 'tombstones'),
    states(MAP_METRICS.latestDirectory, bySite, ({ latest }) => latest, 'directory'),
  ];
}

/** What the lookups of single goroutines cost, and in one series what those of all others cost. */
export function goroutineMeasurements({ series, other }: SeriesByGoroutine): Measurement[] {
  const measured = (measure: (cost: LookupCost) => Distribution): Measured<Distribution>[] => {
    const attributes = { [ATTRIBUTES.overflow.name]: true };
    const rest = { key: seriesKey(attributes), attributes, value: measure(other) };
    return [
      ...series.map((one) => ({
        key: String(one.goroutine),
        attributes: goroutineAttributes(one),
        value: measure(one.cost),
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
  givenUpSeries: number;
  heldSeries: number;
  failedExports: number;
  rejectedPoints: number;
  uncertainPoints: number;
  droppedExemplars: DroppedCandidates;
}

/** The sidecar's account of its own work, metric by metric. */
export function selfMeasurements(snapshot: Snapshot, facts: ExportFacts): NumberMeasurement[] {
  return [
    single(SELF_METRICS.hits, snapshot.hits),
    single(SELF_METRICS.observed, snapshot.observed),
    single(SELF_METRICS.deferred, snapshot.deferred),
    single(SELF_METRICS.resumed, snapshot.resumed),
    single(SELF_METRICS.empty, snapshot.empty),
    single(SELF_METRICS.leftOut, snapshot.leftOut),
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
    single(SELF_METRICS.givenUpSeries, facts.givenUpSeries),
    single(SELF_METRICS.heldSeries, facts.heldSeries),
    single(SELF_METRICS.failedExports, facts.failedExports),
    single(SELF_METRICS.rejectedPoints, facts.rejectedPoints),
    single(SELF_METRICS.uncertainPoints, facts.uncertainPoints),
    byReason(SELF_METRICS.droppedExemplars, { ...facts.droppedExemplars }),
    byKey(SELF_METRICS.fullTables, ATTRIBUTES.table.name, snapshot.fullTables),
    ...spikeMeasurements(snapshot),
    ...followingMeasurements(snapshot),
  ];
}

function spikeMeasurements({ spikes }: Snapshot): NumberMeasurement[] {
  if (spikes === undefined) {
    return [];
  }
  return [single(SPIKE_METRICS.seen, spikes.seen), byReason(SPIKE_METRICS.suppressed, spikes.suppressed)];
}

function followingMeasurements({ following }: Snapshot): NumberMeasurement[] {
  if (following === undefined) {
    return [];
  }
  return [
    byKey(FOLLOWING_METRICS.events, ATTRIBUTES.event.name, following.events),
    byReason(FOLLOWING_METRICS.lost, following.lost),
  ];
}

function overheadMeasurements(overhead: Overhead): NumberMeasurement[] {
  const { costSeconds, targetCpuSeconds, budget } = overhead;
  return [
    ...known(SELF_METRICS.estimateError, overhead.relativeError),
    ...known(SELF_METRICS.underestimate, overhead.underestimate),
    single(SELF_METRICS.overheadTime, costSeconds),
    ...known(SELF_METRICS.targetCpuTime, targetCpuSeconds),
    ...(targetCpuSeconds ? [single(SELF_METRICS.overheadShare, costSeconds / targetCpuSeconds)] : []),
    ...known(SELF_METRICS.overheadBudget, budget),
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

/** The state of one map of each series; nothing where there is none. */
function states(
  contract: MetricContract,
  series: readonly Series[],
  which: (stats: LookupStats) => MapState,
  quantity: Exclude<keyof MapState, 'seenAt'>,
): Measurement {
  return {
    contract,
    numbers: series.flatMap(({ key, attributes, stats }) => {
      const state = which(stats);
      return state.seenAt === 0 ? [] : [{ key, attributes, value: state[quantity] }];
    }),
  };
}

function identity({
  key,
  attributes,
  since,
  ending,
}: Series): Pick<Series, 'key' | 'attributes' | 'since' | 'ending'> {
  return { key, attributes, ...(since !== undefined && { since }), ...(ending && { ending }) };
}

/** Nothing where it is not known. */
function known(contract: MetricContract, value: number | null): NumberMeasurement[] {
  return value === null ? [] : [single(contract, value)];
}

function single(contract: MetricContract, value: number): NumberMeasurement {
  return { contract, numbers: [{ key: seriesKey({}), attributes: {}, value }] };
}

function byReason(contract: MetricContract, counts: Readonly<Record<string, number>>): NumberMeasurement {
  return byKey(contract, ATTRIBUTES.reason.name, counts);
}

function byKey(
  contract: MetricContract,
  attribute: string,
  counts: Readonly<Record<string, number>>,
): NumberMeasurement {
  return {
    contract,
    numbers: Object.entries(counts).map(([key, value]) => {
      const attributes = { [attribute]: key };
      return { key: seriesKey(attributes), attributes, value };
    }),
  };
}
