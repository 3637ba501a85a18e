import type { ExemplarCandidate } from '../../model/candidate.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { HistoryDocument, IntervalEvent, Site } from '../format/document.ts';
import { foldIntervals } from '../format/interval.ts';
import { Differences } from './differences.ts';
import { Exemplars } from './exemplars.ts';
import { base64, Tier } from './tier.ts';

/** Snapshots are taken once a second: these are an hour, and a day by the minute. */
const MINUTE = 60;
const FINE_MOST = 3_600;
const COARSE_CHUNK = 6;
const COARSE_MOST = 1_440;

/** Bytes that the histories of all targets together may take, both resolutions, besides 0.6 kB for each call site and result. */
export const HISTORY_BYTES = 12 << 20;

/** What was seen of one target over time: about a second at a time for an hour, a minute at a time for a day. */
export class History {
  readonly #differences = new Differences();
  readonly #exemplars = new Exemplars();
  readonly #fine: Tier;
  readonly #coarse: Tier;
  #next = 0;

  /** @param bytes that it may take at most; then older seconds are forgotten, and what call sites did in older minutes */
  constructor(bytes: () => number = () => HISTORY_BYTES) {
    const coarse = new Tier({
      chunk: COARSE_CHUNK,
      most: COARSE_MOST,
      bytes: () => bytes() / 2,
      forgets: 'cells',
    });
    // Seconds may take what minutes leave.
    this.#fine = new Tier(
      { chunk: MINUTE, most: FINE_MOST, bytes: () => bytes() - coarse.bytes, forgets: 'chunks' },
      (intervals) => coarse.add(foldIntervals(intervals)),
    );
    this.#coarse = coarse;
  }

  /** Bytes taken by both resolutions. */
  get bytes(): number {
    return this.#fine.bytes + this.#coarse.bytes;
  }

  /** Number of the newest interval; -1 when there is none. */
  get newest(): number {
    return this.#next - 1;
  }

  /**
   * Takes what was counted since the snapshot before.
   *
   * @returns what is new; 'restart' when all before is void; undefined for a snapshot that is not later than the one before
   */
  take(
    snapshot: Snapshot,
    candidates: readonly ExemplarCandidate[] = [],
  ): IntervalEvent | 'restart' | undefined {
    const known = this.#differences.sites.length;
    const difference = this.#differences.take(snapshot);
    if (difference === undefined) {
      return undefined;
    }
    if (difference.restarts) {
      this.#fine.clear();
      this.#coarse.clear();
      this.#exemplars.clear();
    }
    this.#fine.add(difference.packed);
    this.#next = difference.facts.last + 1;
    const exemplars = this.#exemplars.add(candidates, (candidate) => this.#differences.placeOf(candidate));
    const { head, cells = new Uint8Array() } = difference.packed;
    const event = {
      known,
      sites: this.#differences.sites.slice(known),
      head: base64(head),
      cells: base64(cells),
      exemplars,
    };
    return difference.restarts ? 'restart' : event;
  }

  /** Call sites in the order of their numbers. */
  get sites(): readonly Site[] {
    return this.#differences.sites;
  }

  /**
   * All of it.
   *
   * @param bytes at most about so many of intervals: for a file, which is to stay small
   */
  document(bytes = Number.POSITIVE_INFINITY): HistoryDocument {
    const coarse = this.#coarse.packed(bytes / 2);
    const taken = coarse.reduce((sum, { heads, cells }) => sum + sizeOf(heads) + sizeOf(cells), 0);
    return {
      sites: [...this.#differences.sites],
      fine: this.#fine.packed(bytes - taken),
      coarse,
      exemplars: this.#exemplars.all(),
    };
  }

  /** The intervals after one, as events; undefined when there are older ones than that, which only the document has. */
  since(newest: number): IntervalEvent[] | undefined {
    const { open } = this.#fine;
    const missing = this.#next - 1 - newest;
    if (missing < 0 || missing > open.length) {
      return undefined;
    }
    const { sites } = this.#differences;
    // Who reconnects has seen some of the sites and exemplars: the page knows by their number which are new.
    return open.slice(open.length - missing).map(({ head, cells = new Uint8Array() }, i) => ({
      known: 0,
      sites: i === 0 ? [...sites] : [],
      head: base64(head),
      cells: base64(cells),
      exemplars: [],
    }));
  }
}

/** Bytes behind base64. */
function sizeOf(text: string | null): number {
  return ((text?.length ?? 0) * 3) / 4;
}
