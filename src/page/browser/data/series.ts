import { eachCell, type MapShape } from '../../format/interval.ts';
import { addTally, emptyTally, TALLY, type Tally } from '../../format/tally.ts';
import { type Interval, isKnown, secondsOf } from './timeline.ts';

/** Which lookups the pictures show. */
export interface Focus {
  /** Call sites; undefined: all. */
  readonly sites: ReadonlySet<number> | undefined;
  readonly result: 'both' | 'hits' | 'misses';
}

/** Successive intervals as one column of a picture. */
export interface Column {
  readonly start: number;
  readonly end: number;
  /** Undefined: nothing is known of this time. */
  readonly tally: Tally | undefined;
  /** Seconds of which something is known. */
  readonly seconds: number;
  readonly intervals: readonly Interval[];
}

interface Looked {
  readonly tally: Tally | undefined;
  readonly shape: MapShape | undefined;
}

/** What some call sites did over time; what was read of an interval is kept for the next time. */
export class Series {
  readonly focus: Focus;
  readonly #looked = new WeakMap<Interval, Looked>();

  constructor(focus: Focus) {
    this.focus = focus;
  }

  /** Undefined: not known. */
  tally(interval: Interval): Tally | undefined {
    return this.#look(interval).tally;
  }

  /** Of the map that was looked into last; undefined when there was no lookup, or that is not known. */
  shape(interval: Interval): MapShape | undefined {
    return this.#look(interval).shape;
  }

  #look(interval: Interval): Looked {
    let looked = this.#looked.get(interval);
    if (looked === undefined) {
      looked = look(interval, this.focus);
      this.#looked.set(interval, looked);
    }
    return looked;
  }

  /**
   * Columns of at least so much time. A column is of what is known, or of what is not, never of both; its counts are those of its
   * intervals, so that the columns of a range add up to the counts of the range.
   */
  columns(intervals: readonly Interval[], shortestMicros: number): Column[] {
    const columns: Column[] = [];
    let group: Interval[] = [];
    const close = () => {
      if (group.length > 0) {
        columns.push(this.#column(group));
        group = [];
      }
    };
    for (const interval of intervals) {
      const [first] = group;
      if (first !== undefined) {
        const before = this.tally(group.at(-1) as Interval) !== undefined;
        const isLong = (group.at(-1)?.facts.end ?? 0) - first.facts.start >= shortestMicros;
        if (isLong || before !== (this.tally(interval) !== undefined)) {
          close();
        }
      }
      group.push(interval);
    }
    close();
    return columns;
  }

  #column(intervals: readonly Interval[]): Column {
    const known = intervals.filter((interval) => this.tally(interval) !== undefined);
    const tally = known.length === 0 ? undefined : emptyTally();
    for (const interval of known) {
      addTally(tally as Tally, this.tally(interval) as Tally);
    }
    return {
      start: intervals[0]?.facts.start ?? 0,
      end: intervals.at(-1)?.facts.end ?? 0,
      tally,
      seconds: known.reduce((sum, interval) => sum + secondsOf(interval), 0),
      intervals,
    };
  }
}

function look(interval: Interval, { sites, result }: Focus): Looked {
  const nothing = { tally: undefined, shape: undefined };
  if (!isKnown(interval)) {
    return nothing;
  }
  const tally = emptyTally();
  if (sites === undefined) {
    if (result !== 'misses') {
      addTally(tally, interval.hits);
    }
    if (result !== 'hits') {
      addTally(tally, interval.misses);
    }
    return { tally, shape: undefined };
  }
  const { cells } = interval.packed;
  if (cells === undefined) {
    return nothing;
  }
  let shape: MapShape | undefined;
  const wanted = (id: number) =>
    sites.has(id >> 1) && (result === 'both' || (result === 'hits') === (id % 2 === 1));
  eachCell(cells, wanted, (_id, one, map) => {
    addTally(tally, one);
    if (shape === undefined || map.entries >= shape.entries) {
      shape = map;
    }
  });
  return { tally, shape };
}

/** Lookups per second that a column stands for; null when nothing is known. */
export function rateOf({ tally, seconds }: Pick<Column, 'tally' | 'seconds'>): number | null {
  return tally === undefined || seconds <= 0 ? null : (tally[TALLY.estimated] ?? 0) / 1000 / seconds;
}
