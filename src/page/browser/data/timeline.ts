import type { Exemplar, HistoryDocument, IntervalEvent, Site } from '../../format/document.ts';
import { foldIntervals, type IntervalFacts, type PackedInterval, readHead } from '../../format/interval.ts';
import { TALLY, type Tally } from '../../format/tally.ts';
import { fromBase64, unpack } from './unpack.ts';

/** What was seen between two snapshots, or in a minute of them. */
export interface Interval {
  readonly facts: IntervalFacts;
  readonly hits: Tally;
  readonly misses: Tally;
  readonly packed: PackedInterval;
}

/** Intervals of about a second that are kept; older ones become minutes, as in the sidecar. */
const FINE_MOST = 3_660;
const MINUTE = 60;
const EXEMPLARS_MOST = 3_000;

/** The history of one target, oldest interval first, without gaps in what is counted. */
export class Timeline {
  readonly sites: Site[] = [];
  intervals: Interval[] = [];
  exemplars: Exemplar[] = [];
  /** Where intervals of about a second begin. */
  #fineFrom = 0;

  static async read(document: HistoryDocument): Promise<Timeline> {
    const timeline = new Timeline();
    timeline.sites.push(...document.sites);
    timeline.exemplars = document.exemplars;
    const read = async (parts: HistoryDocument['fine']) =>
      (await Promise.all(parts.map(unpack))).flat().map(intervalOf);
    const [fine, coarse] = await Promise.all([read(document.fine), read(document.coarse)]);
    const begin = fine[0]?.facts.first ?? Number.POSITIVE_INFINITY;
    const older = coarse.filter(({ facts }) => facts.last < begin);
    timeline.intervals = [...older, ...fine];
    timeline.#fineFrom = older.length;
    return timeline;
  }

  /** Number of the newest snapshot; -1 when there is none. */
  get newest(): number {
    return this.intervals.at(-1)?.facts.last ?? -1;
  }

  /** Microseconds since 1970; 0 when there is nothing. */
  get start(): number {
    return this.intervals[0]?.facts.start ?? 0;
  }

  get end(): number {
    return this.intervals.at(-1)?.facts.end ?? 0;
  }

  /** @returns the interval; undefined when it is known already */
  add(event: IntervalEvent): Interval | undefined {
    event.sites.forEach((site, i) => {
      this.sites[event.known + i] = site;
    });
    this.exemplars.push(...event.exemplars);
    this.exemplars.splice(0, this.exemplars.length - EXEMPLARS_MOST);
    const interval = intervalOf({ head: fromBase64(event.head), cells: fromBase64(event.cells) });
    if (interval.facts.first <= this.newest) {
      return undefined;
    }
    this.intervals.push(interval);
    if (this.intervals.length - this.#fineFrom > FINE_MOST) {
      const seconds = this.intervals.slice(this.#fineFrom, this.#fineFrom + MINUTE);
      const minute = intervalOf(foldIntervals(seconds.map(({ packed }) => packed)));
      this.intervals.splice(this.#fineFrom++, MINUTE, minute);
    }
    return interval;
  }

  /** The intervals whose middle lies in a time. Ranges that touch share none. */
  between(start: number, end: number): Interval[] {
    const from = this.#firstAfter(start);
    const to = this.#firstAfter(end);
    return this.intervals.slice(from, to);
  }

  /** Index of the first interval whose middle is not before a time. */
  #firstAfter(time: number): number {
    let low = 0;
    let high = this.intervals.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (middleOf(this.intervals[middle] as Interval) < time) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}

function middleOf({ facts }: Interval): number {
  return (facts.start + facts.end) / 2;
}

function intervalOf(packed: PackedInterval): Interval {
  const { facts, hits, misses } = readHead(packed.head);
  return { facts, hits, misses, packed };
}

/** Whether anything is known of an interval: a window was open, or something was counted. Otherwise nothing is: that is not zero. */
export function isKnown({ facts, hits, misses }: Interval): boolean {
  return facts.attached > 0 || (hits[TALLY.lookups] ?? 0) + (misses[TALLY.lookups] ?? 0) > 0;
}

/** Length in seconds. */
export function secondsOf({ facts }: Pick<Interval, 'facts'>): number {
  return (facts.end - facts.start) / 1e6;
}
