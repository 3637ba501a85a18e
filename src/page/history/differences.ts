import { totalOf } from '../../model/accounts.ts';
import type { CallSiteStats, Snapshot } from '../../model/snapshot.ts';
import type { Site } from '../format/document.ts';
import { type Cell, type IntervalFacts, type PackedInterval, packInterval } from '../format/interval.ts';
import { DISTRIBUTIONS, emptyTally, type Quantity, TALLY, TALLY_SIZE, type Tally } from '../format/tally.ts';

/** What came between a snapshot and the one before. */
export interface Difference {
  facts: IntervalFacts;
  packed: PackedInterval;
  /** Counts had fallen: functions were found to be decoded wrongly. All that was told before is void. */
  restarts: boolean;
}

const MILLION = 1e6;
const BILLION = 1e9;

/**
 * Makes intervals of successive snapshots of one observation. Fractions are rounded before they are subtracted, so that the
 * differences add up to the rounded total, over however many intervals.
 */
export class Differences {
  /** Call sites in the order in which they were first seen. */
  readonly sites: Site[] = [];
  readonly #numbers = new Map<string, number>();
  /** Without the lookup function. */
  readonly #places = new Map<string, number>();
  #tallies = new Map<number, Tally>();
  #facts: Totals | undefined;
  #end = 0;
  #snapshots = 0;

  /** Undefined for a snapshot that is not later than the one before. */
  take(snapshot: Snapshot): Difference | undefined {
    const end = micros(snapshot.time);
    if (this.#facts !== undefined && end <= this.#end) {
      return undefined;
    }
    const told = [...snapshot.callSites, ...snapshot.others];
    const now = new Map(told.map((stats) => [this.#id(stats), stats]));
    this.#moveToOthers(now, new Map(snapshot.others.map((stats) => [stats.hit, this.#id(stats)])));
    const restarts = this.#hasFallen(now);
    if (restarts) {
      this.#tallies = new Map();
      this.#facts = undefined;
    }
    const start = this.#facts === undefined ? Math.min(micros(snapshot.startTime), end) : this.#end;
    const totals = totalsOf(snapshot);
    const facts: IntervalFacts = {
      first: this.#snapshots,
      last: this.#snapshots,
      start,
      end,
      ...totalsBetween(this.#facts, totals),
      windowsSoFar: snapshot.windows,
      errorSoFar: scaled(snapshot.overhead.relativeError, MILLION),
      shortfallSoFar: scaled(snapshot.overhead.underestimate, MILLION),
    };
    this.#snapshots++;
    this.#facts = totals;
    this.#end = end;
    return { facts, packed: packInterval(facts, this.#cells(now)), restarts };
  }

  /** The number of a call site that was seen, or of one that is new. */
  #siteOf({ callSite, variant, type }: Pick<CallSiteStats, 'callSite' | 'variant' | 'type'>): number {
    const { function: name, file, line } = callSite;
    const key = JSON.stringify([name, file, line, variant, type]);
    const known = this.#numbers.get(key);
    if (known !== undefined) {
      return known;
    }
    const number = this.sites.push({ function: name, file, line, variant, type }) - 1;
    this.#numbers.set(key, number);
    const place = JSON.stringify([name, file, line, type]);
    this.#places.set(place, this.#places.get(place) ?? number);
    return number;
  }

  /** The number of the call site that a single lookup was made at; undefined when none was counted there. */
  placeOf({ callSite, type }: Pick<CallSiteStats, 'callSite' | 'type'>): number | undefined {
    const { function: name, file, line } = callSite;
    return this.#places.get(JSON.stringify([name, file, line, type]));
  }

  #id(stats: CallSiteStats): number {
    return 2 * this.#siteOf(stats) + Number(stats.hit);
  }

  /** What was counted at sites that are not kept apart any more is among the others now: it is not counted a second time. */
  #moveToOthers(now: ReadonlyMap<number, CallSiteStats>, others: ReadonlyMap<boolean, number>): void {
    for (const [id, gone] of this.#tallies) {
      const other = others.get(id % 2 === 1);
      if (now.has(id) || other === undefined) {
        continue;
      }
      this.#tallies.delete(id);
      this.#tallies.set(other, plus(this.#tallies.get(other) ?? emptyTally(), gone));
    }
  }

  #hasFallen(now: ReadonlyMap<number, CallSiteStats>): boolean {
    for (const [id, before] of this.#tallies) {
      if ((now.get(id)?.lookups ?? 0) < (before[TALLY.lookups] ?? 0)) {
        return true;
      }
    }
    return false;
  }

  /** What was counted since the snapshot before, of those call sites that counted anything. */
  #cells(now: ReadonlyMap<number, CallSiteStats>): Cell[] {
    const cells: Cell[] = [];
    for (const [id, stats] of now) {
      const tally = tallyOf(stats);
      const before = this.#tallies.get(id);
      if (before !== undefined && before[TALLY.lookups] === tally[TALLY.lookups]) {
        continue;
      }
      this.#tallies.set(id, tally);
      const { entries, buckets, overflowBuckets, tombstones, directory } = stats.latest;
      const map = { entries, buckets, overflowBuckets, tombstones, directory };
      cells.push({ id, tally: before === undefined ? tally : minus(tally, before), map });
    }
    return cells.sort((a, b) => a.id - b.id);
  }
}

function tallyOf(stats: CallSiteStats): Tally {
  const tally = emptyTally();
  tally[TALLY.lookups] = stats.lookups;
  tally[TALLY.estimated] = Math.round(stats.estimatedLookups * 1000);
  tally[TALLY.probes] = stats.probeLength.sum;
  tally[TALLY.comparisons] = stats.keyComparisons.sum;
  tally[TALLY.load] = Math.round(stats.loadFactor.sum * MILLION);
  tally[TALLY.growing] = stats.growing;
  tally[TALLY.inexact] = stats.inexact;
  for (const quantity of Object.keys(DISTRIBUTIONS) as Quantity[]) {
    tally.set(stats[quantity].counts, DISTRIBUTIONS[quantity].at);
  }
  return tally;
}

function plus(tally: Tally, more: Tally): Tally {
  const sum = emptyTally();
  for (let i = 0; i < TALLY_SIZE; i++) {
    sum[i] = (tally[i] ?? 0) + (more[i] ?? 0);
  }
  return sum;
}

function minus(tally: Tally, before: Tally): Tally {
  const difference = emptyTally();
  for (let i = 0; i < TALLY_SIZE; i++) {
    // Sums of fractions are floating-point numbers, whose last digit may move either way.
    difference[i] = Math.max(0, (tally[i] ?? 0) - (before[i] ?? 0));
  }
  return difference;
}

type Totals = Pick<
  IntervalFacts,
  | 'attached'
  | 'windows'
  | 'fullWindows'
  | 'hits'
  | 'lost'
  | 'notDecoded'
  | 'leftOut'
  | 'cost'
  | 'stops'
  | 'targetCpu'
  | 'spikes'
>;

/** Everything counted since the start, in the units of an interval. */
function totalsOf(snapshot: Snapshot): Totals {
  const { overhead } = snapshot;
  return {
    attached: Math.round(snapshot.attachedSeconds * MILLION),
    windows: snapshot.windows,
    fullWindows: overhead.fullWindows,
    hits: snapshot.hits,
    lost: totalOf(snapshot.unreadable) + totalOf(snapshot.dropped),
    notDecoded: snapshot.notDecoded,
    leftOut: snapshot.leftOut,
    cost: Math.round(overhead.costSeconds * BILLION),
    stops: overhead.stops,
    targetCpu: scaled(overhead.targetCpuSeconds, BILLION),
    spikes: snapshot.spikes?.seen ?? null,
  };
}

function totalsBetween(before: Totals | undefined, now: Totals): Totals {
  const between = (name: Exclude<keyof Totals, 'targetCpu' | 'spikes'>) =>
    Math.max(0, now[name] - (before?.[name] ?? 0));
  const known = (name: 'targetCpu' | 'spikes') => {
    const earlier = before === undefined ? 0 : before[name];
    const later = now[name];
    return earlier === null || later === null ? null : Math.max(0, later - earlier);
  };
  return {
    attached: between('attached'),
    windows: between('windows'),
    fullWindows: between('fullWindows'),
    hits: between('hits'),
    lost: between('lost'),
    notDecoded: between('notDecoded'),
    leftOut: between('leftOut'),
    cost: between('cost'),
    stops: between('stops'),
    targetCpu: known('targetCpu'),
    spikes: known('spikes'),
  };
}

/** Null is not known and stays so. */
function scaled(value: number | null, by: number): number | null {
  return value === null || !Number.isFinite(value) ? null : Math.max(0, Math.round(value * by));
}

function micros(nanoseconds: bigint): number {
  return Number(nanoseconds / 1000n);
}
