import { COUNT_BOUNDS, RATIO_BOUNDS } from '../../model/buckets.ts';
import type { ByteReader, ByteWriter } from './bytes.ts';

/*
 * A tally is what some lookups add up to, as one row of numbers, so that thousands of them can be added without an object for
 * each. Sums of tallies are sums of their numbers.
 */

const COUNT_BUCKETS = COUNT_BOUNDS.length + 1;
const RATIO_BUCKETS = RATIO_BOUNDS.length + 1;

/** Where each number of a tally is. */
export const TALLY = {
  lookups: 0,
  /** Lookups made, estimated, in thousandths. */
  estimated: 1,
  /** Buckets or groups visited, and keys compared, by all lookups together. */
  probes: 2,
  comparisons: 3,
  /** Load factors at the lookups, added up, in millionths. */
  load: 4,
  growing: 5,
  inexact: 6,
} as const;

/** Numbers before the distributions. */
const SCALARS = 7;

/** The distributions of a tally, and where each begins. */
export const DISTRIBUTIONS = {
  probeLength: { at: SCALARS, bounds: COUNT_BOUNDS },
  keyComparisons: { at: SCALARS + COUNT_BUCKETS, bounds: COUNT_BOUNDS },
  homePosition: { at: SCALARS + 2 * COUNT_BUCKETS, bounds: RATIO_BOUNDS },
  loadFactor: { at: SCALARS + 2 * COUNT_BUCKETS + RATIO_BUCKETS, bounds: RATIO_BOUNDS },
} as const;

/** Name of a distribution. */
export type Quantity = keyof typeof DISTRIBUTIONS;

/** Numbers in a tally. */
export const TALLY_SIZE = SCALARS + 2 * COUNT_BUCKETS + 2 * RATIO_BUCKETS;

export type Tally = Float64Array;

export function emptyTally(): Tally {
  return new Float64Array(TALLY_SIZE);
}

/** Adds one tally to another, `times` times. */
export function addTally(into: Float64Array, tally: Float64Array, times = 1, at = 0): void {
  for (let i = 0; i < TALLY_SIZE; i++) {
    into[at + i] = (into[at + i] ?? 0) + times * (tally[i] ?? 0);
  }
}

/** The counts of one distribution of a tally: one more than bounds. */
export function countsOf(tally: Float64Array, quantity: Quantity): number[] {
  const { at, bounds } = DISTRIBUTIONS[quantity];
  return Array.from(tally.subarray(at, at + bounds.length + 1));
}

/** Most buckets are empty: those that are not are written with their distance from the one before. */
export function writeTally(to: ByteWriter, tally: Tally): void {
  for (let i = 0; i < SCALARS; i++) {
    to.number(tally[i] ?? 0);
  }
  let used = 0;
  for (let i = SCALARS; i < TALLY_SIZE; i++) {
    used += Number(tally[i] !== 0);
  }
  to.number(used);
  let last = SCALARS;
  for (let i = SCALARS; i < TALLY_SIZE; i++) {
    const count = tally[i] ?? 0;
    if (count !== 0) {
      to.number(i - last);
      to.number(count);
      last = i;
    }
  }
}

/** Adds what writeTally has written to a tally. @throws RangeError when the bytes are damaged */
export function readTally(from: ByteReader, into: Float64Array): void {
  for (let i = 0; i < SCALARS; i++) {
    into[i] = (into[i] ?? 0) + from.number();
  }
  let at = SCALARS;
  for (let left = from.number(); left > 0; left--) {
    at += from.number();
    if (at >= TALLY_SIZE) {
      throw new RangeError('the data of the history are damaged');
    }
    into[at] = (into[at] ?? 0) + from.number();
  }
}
