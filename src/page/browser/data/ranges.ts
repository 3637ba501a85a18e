import { ALL_CELLS, eachCell, type IntervalFacts, type MapShape } from '../../format/interval.ts';
import { addTally, emptyTally, TALLY, TALLY_SIZE, type Tally } from '../../format/tally.ts';
import { manyProbes } from './statistics.ts';
import { type Interval, isKnown, secondsOf, type Timeline } from './timeline.ts';

/** Columns of a sparkline. */
const SPARK_COLUMNS = 40;

/**
 * What the call sites did in a range of time. Intervals can be added at its end and taken away at its start, so that a range
 * that moves along costs what is new.
 */
export class RangeTotals {
  readonly #timeline: Timeline;
  readonly intervals: Interval[] = [];
  /** Intervals of which it is not known what call sites did. */
  withoutCells = 0;
  seconds = 0;
  /** Seconds in which anything was seen. */
  knownSeconds = 0;
  #tallies = new Float64Array(0);
  #sparks = new Float32Array(0);
  readonly #shapes: (MapShape | undefined)[] = [];
  readonly #sparkMicros: number;
  #newestColumn = Number.NEGATIVE_INFINITY;
  #version = 0;

  /** @param length of the range, in microseconds, for sparklines */
  constructor(timeline: Timeline, length: number) {
    this.#timeline = timeline;
    this.#sparkMicros = Math.max(1, length / (SPARK_COLUMNS - 1));
  }

  /** Another one whenever something has changed. */
  get version(): number {
    return this.#version;
  }

  add(interval: Interval): void {
    this.intervals.push(interval);
    this.#count(interval, 1);
  }

  removeOldest(): void {
    const oldest = this.intervals.shift();
    if (oldest !== undefined) {
      this.#count(oldest, -1);
    }
  }

  /** The tally of a call site's hits or misses; a view. */
  tally(id: number): Float64Array {
    return this.#tallies.subarray(id * TALLY_SIZE, (id + 1) * TALLY_SIZE);
  }

  lookups(id: number): number {
    return this.#tallies[id * TALLY_SIZE + TALLY.lookups] ?? 0;
  }

  /** One number of a call site's tallies, hits and misses together. */
  ofSite(site: number, which: number): number {
    const at = 2 * site * TALLY_SIZE + which;
    return (this.#tallies[at] ?? 0) + (this.#tallies[at + TALLY_SIZE] ?? 0);
  }

  /** Lookups of a call site that visited many groups or buckets. */
  manyProbes(site: number): number {
    const at = 2 * site * TALLY_SIZE;
    return manyProbes(this.#tallies, at) + manyProbes(this.#tallies, at + TALLY_SIZE);
  }

  /** Of the map that was looked into last. */
  shape(site: number): MapShape | undefined {
    return this.#shapes[site];
  }

  /** Estimated lookups over time, oldest first. The first and the last column are of a part of their time, and left out. */
  spark(sites: readonly number[]): number[] {
    const newest = this.#newestColumn;
    return Array.from({ length: SPARK_COLUMNS - 2 }, (_, i) => {
      const slot = modulo(newest - SPARK_COLUMNS + 2 + i);
      return sites.reduce((sum, site) => sum + (this.#sparks[site * SPARK_COLUMNS + slot] ?? 0), 0);
    });
  }

  get facts(): IntervalFacts[] {
    return this.intervals.map(({ facts }) => facts);
  }

  #count(interval: Interval, times: 1 | -1): void {
    this.#version++;
    const seconds = secondsOf(interval);
    this.seconds += times * seconds;
    if (isKnown(interval)) {
      this.knownSeconds += times * seconds;
    }
    const { cells } = interval.packed;
    if (cells === undefined) {
      this.withoutCells += times;
      return;
    }
    this.#makeRoom();
    const column = Math.floor(interval.facts.end / this.#sparkMicros);
    if (times > 0) {
      this.#advanceTo(column);
    }
    eachCell(cells, ALL_CELLS, (id, tally, shape) => {
      addTally(this.#tallies, tally, times, id * TALLY_SIZE);
      if (times > 0) {
        this.#shapes[id >> 1] = shape;
        const slot = (id >> 1) * SPARK_COLUMNS + modulo(column);
        this.#sparks[slot] = (this.#sparks[slot] ?? 0) + (tally[TALLY.estimated] ?? 0) / 1000;
      }
    });
  }

  /** Columns of sparklines that are new are empty. */
  #advanceTo(column: number): void {
    const from = Math.max(this.#newestColumn + 1, column - SPARK_COLUMNS + 1);
    for (let one = from; one <= column; one++) {
      for (let at = modulo(one); at < this.#sparks.length; at += SPARK_COLUMNS) {
        this.#sparks[at] = 0;
      }
    }
    this.#newestColumn = Math.max(this.#newestColumn, column);
  }

  #makeRoom(): void {
    const ids = 2 * this.#timeline.sites.length;
    if (this.#tallies.length >= ids * TALLY_SIZE) {
      return;
    }
    const room = Math.ceil(ids * 1.25);
    const tallies = new Float64Array(room * TALLY_SIZE);
    tallies.set(this.#tallies);
    this.#tallies = tallies;
    const sparks = new Float32Array(room * SPARK_COLUMNS);
    sparks.set(this.#sparks);
    this.#sparks = sparks;
  }
}

function modulo(column: number): number {
  return ((column % SPARK_COLUMNS) + SPARK_COLUMNS) % SPARK_COLUMNS;
}

/** The sum of the tallies of some call sites, hits and misses together. */
export function sumOfSites(totals: RangeTotals, sites: readonly number[]): Tally {
  const sum = emptyTally();
  for (const site of sites) {
    addTally(sum, totals.tally(2 * site));
    addTally(sum, totals.tally(2 * site + 1));
  }
  return sum;
}
