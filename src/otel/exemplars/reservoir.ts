import type { Attributes } from '@opentelemetry/api';
import { bucketOf } from '../../model/buckets.ts';
import type { ExemplarCandidate } from '../../model/candidate.ts';
import { MAP_METRICS, type MetricContract } from '../contract/metrics.ts';
import type { Exemplar, Interval } from '../metrics/points.ts';
import { type ExemplarFilter, exemplarOf, isBetter, passes } from './exemplar.ts';

/** The point that exemplars are for. */
export interface ExemplarPoint {
  interval: Interval;
  attributes: Attributes;
  /** Counts of the contract's buckets, of the point's interval. */
  counts: readonly number[];
  /**
   * Receivers look for the bucket of each exemplar in a point of explicit buckets in one pass, and so need them by bucket. A point of
   * exponential ones has a single list in time: what is older than the one before it is refused.
   */
  order: 'bucket' | 'time';
}

/** Exemplars of one point, and what to call when a receiver has accepted the point. */
export interface ChosenExemplars {
  exemplars: readonly Exemplar[];
  delivered: () => void;
}

/** Candidates that were not kept, by reason. */
export interface DroppedCandidates {
  /** There was no room, see `limit`. */
  limit: number;
  /** Their lookups are in no series of the snapshot, for instance because the kernel's table was full. */
  no_series: number;
}

/** The moment up to which lookups have been counted, and since when. */
export interface CountedTime {
  startTime: bigint;
  time: bigint;
}

/**
 * Exemplars kept at a time. One takes some 110 bytes of a request: together they fit beside 2,000 points into the 4 MiB
 * that receivers take.
 */
const DEFAULT_LIMIT = 10_000;

/** Candidates by bucket. */
type Slots = Map<number, ExemplarCandidate>;

/** One histogram that carries exemplars. */
interface Quantity {
  measure: (candidate: ExemplarCandidate) => number;
  bounds: readonly number[];
  /** By series. */
  slots: Map<string, Slots>;
}

/**
 * Chooses the lookups that become exemplars and keeps them until they are delivered: at most one per series and bucket,
 * sampled spans before others, then the newest. What a lookup's bucket has no count for yet waits.
 */
export class ExemplarReservoir {
  readonly #filter: ExemplarFilter;
  readonly #limit: number;
  readonly #quantities: ReadonlyMap<string, Quantity>;
  /** Not yet compared with a snapshot, or newer than the last one. */
  #waiting: ExemplarCandidate[] = [];
  /** Candidates in slots. */
  #kept = 0;
  #dropped: DroppedCandidates = { limit: 0, no_series: 0 };

  constructor(filter: ExemplarFilter = 'trace_based', limit = DEFAULT_LIMIT) {
    this.#filter = filter;
    this.#limit = limit;
    this.#quantities = new Map([
      quantity(MAP_METRICS.probeLength, ({ probeLength }) => probeLength),
      quantity(MAP_METRICS.keyComparisons, ({ keyComparisons }) => keyComparisons),
    ]);
  }

  /** Since the start of the count. */
  get dropped(): Readonly<DroppedCandidates> {
    return this.#dropped;
  }

  /** Takes candidates. `place` leaves those waiting that its snapshot does not count yet. */
  offer(candidates: readonly ExemplarCandidate[]): void {
    // Only what is left of earlier calls is bounded here: of the new ones most will not be the best of their bucket.
    const tooMany = this.#waiting.length - this.#limit;
    if (tooMany > 0) {
      this.#dropped.limit += tooMany;
      this.#waiting.splice(0, tooMany);
    }
    for (const candidate of candidates) {
      if (passes(this.#filter, candidate)) {
        this.#waiting.push(candidate);
      }
    }
  }

  /** Forgets what belongs to the count before. */
  restart(): void {
    for (const { slots } of this.#quantities.values()) {
      // An export may still be under way that would take back what is in them.
      for (const one of slots.values()) {
        one.clear();
      }
      slots.clear();
    }
    this.#kept = 0;
    this.#dropped = { limit: 0, no_series: 0 };
  }

  /** The series is not sent any more. */
  forget(series: string): void {
    for (const { slots } of this.#quantities.values()) {
      const left = slots.get(series);
      if (left !== undefined) {
        this.#kept -= left.size;
        this.#dropped.no_series += left.size;
        left.clear();
        slots.delete(series);
      }
    }
  }

  /** Puts the candidates that the snapshot has counted into its series. `seriesOf` gives the key of a lookup's series. */
  place(
    { startTime, time }: CountedTime,
    seriesOf: (candidate: ExemplarCandidate) => string | undefined,
  ): void {
    const candidates = this.#waiting;
    this.#waiting = [];
    for (const candidate of candidates) {
      if (candidate.time > time) {
        this.#waiting.push(candidate);
      } else if (candidate.time >= startTime) {
        const series = seriesOf(candidate);
        if (series === undefined) {
          this.#dropped.no_series++;
        } else {
          this.#keep(series, candidate);
        }
      }
    }
  }

  /** The exemplars for a point of a series; undefined when there are none. */
  choose(metric: string, series: string, point: ExemplarPoint): ChosenExemplars | undefined {
    const { slots: all, measure } = this.#quantities.get(metric) ?? {};
    const slots = all?.get(series);
    if (slots === undefined || measure === undefined) {
      return undefined;
    }
    const remove = (bucket: number): void => {
      slots.delete(bucket);
      this.#kept--;
      if (slots.size === 0) {
        all?.delete(series);
      }
    };
    for (const [bucket, { time }] of [...slots]) {
      // It came so late that a point before this one has already told its count.
      if (time <= point.interval.start) {
        remove(bucket);
      }
    }
    const chosen = [...slots].filter(([bucket]) => (point.counts[bucket] ?? 0) > 0).sort(([a], [b]) => a - b);
    if (point.order === 'time') {
      // Equal ones stay in the order of their values.
      chosen.sort(([, a], [, b]) => Number(a.time - b.time));
    }
    return {
      exemplars: chosen.map(([, candidate]) => exemplarOf(candidate, measure(candidate), point.attributes)),
      delivered: () => {
        for (const [bucket, candidate] of chosen) {
          // A better one may have come since.
          if (slots.get(bucket) === candidate) {
            remove(bucket);
          }
        }
      },
    };
  }

  #keep(series: string, candidate: ExemplarCandidate): void {
    for (const { measure, bounds, slots: all } of this.#quantities.values()) {
      const slots = all.get(series) ?? new Map<number, ExemplarCandidate>();
      const bucket = bucketOf(bounds, measure(candidate));
      const present = slots.get(bucket);
      if (present === undefined && this.#kept >= this.#limit) {
        this.#dropped.limit++;
      } else if (present === undefined || isBetter(candidate, present)) {
        this.#kept += present === undefined ? 1 : 0;
        slots.set(bucket, candidate);
        all.set(series, slots);
      }
    }
  }
}

function quantity(
  { name, bounds = [] }: MetricContract,
  measure: (candidate: ExemplarCandidate) => number,
): [string, Quantity] {
  return [name, { measure, bounds, slots: new Map() }];
}
