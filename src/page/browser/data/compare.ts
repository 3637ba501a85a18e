import type { Site } from '../../format/document.ts';
import { ALL_CELLS, eachCell } from '../../format/interval.ts';
import { TALLY } from '../../format/tally.ts';
import { type Grouping, groupKey } from './rows.ts';
import { difference, type Estimate, type Moments, manyProbes, ratio, Z95 } from './statistics.ts';
import { type Interval, isKnown, secondsOf } from './timeline.ts';

/** What is compared of the call sites of two ranges. */
export const MEASURES = {
  probes: 'probes per lookup',
  many: 'lookups above 5 probes',
  compares: 'comparisons per lookup',
  misses: 'misses',
  rate: 'lookups per second',
} as const;
export type Measure = keyof typeof MEASURES;

/** How one row differs in one respect. */
export interface Change {
  readonly key: string;
  readonly sites: readonly number[];
  readonly measure: Measure;
  /** In the range and in the baseline; null where there were no lookups. */
  readonly now: Estimate | null;
  readonly before: Estimate | null;
  readonly change: Estimate;
  /** The interval that holds the true difference in 95 of 100 cases; null when there were too few intervals of time to know. */
  readonly interval: readonly [number, number] | null;
  /** Whether it is more than chance: of those that are called sure, at most one in twenty is expected not to be. */
  isSure: boolean;
  /** Groups or buckets visited per second, more or fewer, that go with it: what changes are ranked by. */
  readonly weight: number;
}

/** For each row and measure the sums that its ratio and its error come from. */
interface Side {
  readonly rows: Map<string, Record<Measure, Moments>>;
  readonly sites: Map<string, Set<number>>;
  readonly seconds: number;
  /** Estimated probes per second, by row. */
  readonly work: Map<string, number>;
}

const WHICH = Object.keys(MEASURES) as Measure[];

/**
 * What differs between a range and a baseline, row by row, the heaviest sure difference first. Differences that may be chance
 * come last.
 */
export function compareRanges(
  sites: readonly Site[],
  range: readonly Interval[],
  baseline: readonly Interval[],
  by: Grouping,
  wants: (site: number) => boolean = () => true,
): Change[] {
  const now = sideOf(sites, range, by, wants);
  const before = sideOf(sites, baseline, by, wants);
  const keys = new Set([...now.rows.keys(), ...before.rows.keys()]);
  const changes = [...keys].flatMap((key) =>
    WHICH.flatMap((measure) => changeOf(key, measure, now, before) ?? []),
  );
  callSure(changes);
  return changes.sort(
    (a, b) => Number(b.isSure) - Number(a.isSure) || b.weight - a.weight || (a.key < b.key ? -1 : 1),
  );
}

function changeOf(key: string, measure: Measure, now: Side, before: Side): Change | undefined {
  const side = ({ rows }: Side) => {
    const moments = rows.get(key)?.[measure];
    return moments === undefined ? null : ratio(moments);
  };
  const a = side(now) ?? noLookups(measure, now);
  const b = side(before) ?? noLookups(measure, before);
  // Where there were no lookups there is no mean that could differ.
  if (a === null || b === null) {
    return undefined;
  }
  const change = difference(a, b);
  const interval =
    change.error === null
      ? null
      : ([change.value - Z95 * change.error, change.value + Z95 * change.error] as const);
  const sites = new Set([...(now.sites.get(key) ?? []), ...(before.sites.get(key) ?? [])]);
  const work = now.work.get(key) ?? 0;
  const workBefore = before.work.get(key) ?? 0;
  const scale = Math.max(Math.abs(a.value), Math.abs(b.value)) || 1;
  const weight =
    measure === 'rate'
      ? Math.abs(work - workBefore)
      : (Math.abs(change.value) / scale) * Math.max(work, workBefore);
  return { key, sites: [...sites], measure, now: a, before: b, change, interval, isSure: false, weight };
}

/** Differences that may be wrongly called sure, as a share of those that are. */
const FALSE_SHARE = 0.05;

/**
 * Of many differences some are large by chance. So the more there are, the larger one has to be, for its error, to be called sure
 * (Benjamini and Hochberg).
 */
function callSure(changes: readonly Change[]): void {
  const judged = changes
    .flatMap((one) => (one.interval === null ? [] : [{ one, chance: chanceOf(one.change) }]))
    .sort((a, b) => a.chance - b.chance);
  const last = judged.findLastIndex(
    ({ chance }, rank) => chance <= (FALSE_SHARE * (rank + 1)) / judged.length,
  );
  for (const { one } of judged.slice(0, last + 1)) {
    one.isSure = true;
  }
}

/** How often a difference as large comes about where there is none. */
function chanceOf({ value, error }: Estimate): number {
  if (error === null || value === 0) {
    return 1;
  }
  return error === 0 ? 0 : 2 * upperTail(Math.abs(value) / error);
}

/** Of a standard normal distribution, the part above z; to 1e-7 (Abramowitz and Stegun, 26.2.17). */
function upperTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const polynomial =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * polynomial;
}

/** A row that is missing on one side had no lookups there, if anything was seen at all. */
function noLookups(measure: Measure, { seconds }: Side): Estimate | null {
  return measure === 'rate' && seconds > 0 ? { value: 0, error: 0 } : null;
}

function sideOf(
  sites: readonly Site[],
  intervals: readonly Interval[],
  by: Grouping,
  wants: (site: number) => boolean,
): Side {
  const keys = sites.map((site) => groupKey(site, by));
  const known = intervals.filter((interval) => isKnown(interval) && interval.packed.cells !== undefined);
  const side: Side = {
    rows: new Map(),
    sites: new Map(),
    seconds: known.reduce((sum, interval) => sum + secondsOf(interval), 0),
    work: new Map(),
  };
  for (const interval of known) {
    for (const [key, sums] of sumsOf(interval, keys, wants, side)) {
      addMoments(side.rows, key, sums);
      const perSecond = (sums.probes * (sums.estimated / sums.lookups)) / side.seconds;
      side.work.set(key, (side.work.get(key) ?? 0) + perSecond);
    }
  }
  addQuietTime(side, known);
  return side;
}

interface Sums {
  lookups: number;
  hits: number;
  estimated: number;
  probes: number;
  many: number;
  comparisons: number;
  seconds: number;
}

/** What each row did in one interval. */
function sumsOf(
  interval: Interval,
  keys: readonly string[],
  wants: (site: number) => boolean,
  { sites }: Side,
): Map<string, Sums> {
  const rows = new Map<string, Sums>();
  const seconds = secondsOf(interval);
  eachCell(interval.packed.cells ?? new Uint8Array(), ALL_CELLS, (id, tally) => {
    const site = id >> 1;
    const key = keys[site];
    if (key === undefined || !wants(site)) {
      return;
    }
    const row = rows.get(key) ?? {
      lookups: 0,
      hits: 0,
      estimated: 0,
      probes: 0,
      many: 0,
      comparisons: 0,
      seconds,
    };
    rows.set(key, row);
    const lookups = tally[TALLY.lookups] ?? 0;
    row.lookups += lookups;
    row.hits += id % 2 === 1 ? lookups : 0;
    row.estimated += (tally[TALLY.estimated] ?? 0) / 1000;
    row.probes += tally[TALLY.probes] ?? 0;
    row.many += manyProbes(tally);
    row.comparisons += tally[TALLY.comparisons] ?? 0;
    const known = sites.get(key);
    if (known === undefined) {
      sites.set(key, new Set([site]));
    } else {
      known.add(site);
    }
  });
  return rows;
}

function addMoments(rows: Side['rows'], key: string, sums: Sums): void {
  let row = rows.get(key);
  if (row === undefined) {
    row = { probes: none(), many: none(), compares: none(), misses: none(), rate: none() };
    rows.set(key, row);
  }
  addPair(row.probes, sums.lookups, sums.probes);
  addPair(row.many, sums.lookups, sums.many);
  addPair(row.compares, sums.lookups, sums.comparisons);
  addPair(row.misses, sums.lookups, sums.lookups - sums.hits);
  addPair(row.rate, sums.seconds, sums.estimated);
}

/** Time in which a row had no lookups counts for its rate. */
function addQuietTime({ rows, seconds }: Side, known: readonly Interval[]): void {
  const squares = known.reduce((sum, interval) => sum + secondsOf(interval) ** 2, 0);
  for (const { rate } of rows.values()) {
    rate.n = known.length;
    rate.x = seconds;
    rate.xx = squares;
  }
}

function none(): Moments {
  return { n: 0, x: 0, y: 0, xx: 0, xy: 0, yy: 0 };
}

function addPair(moments: Moments, x: number, y: number): void {
  moments.n++;
  moments.x += x;
  moments.y += y;
  moments.xx += x * x;
  moments.xy += x * y;
  moments.yy += y * y;
}
