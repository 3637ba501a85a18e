import { COUNT_BOUNDS } from '../../../model/buckets.ts';
import type { IntervalFacts } from '../../format/interval.ts';
import { DISTRIBUTIONS, type Quantity, TALLY } from '../../format/tally.ts';

/*
 * What numbers of a sample say about all lookups. Each is null where it is not known.
 */

/** Standard errors on either side of an estimate that hold the truth in 95 of 100 cases. */
export const Z95 = 1.96;

/** A sum over intervals and what the errors of such sums are worked out from: each interval is one draw, however many lookups it has. */
export interface Moments {
  /** Intervals. */
  n: number;
  x: number;
  y: number;
  xx: number;
  xy: number;
  yy: number;
}

/** An estimate with its standard error; that is null when there are too few intervals to know it. */
export interface Estimate {
  value: number;
  error: number | null;
}

/**
 * The ratio of two sums over intervals, y to x, with its standard error. Lookups of one interval resemble one another, so
 * that intervals count as draws, not lookups. Null where there is nothing.
 */
export function ratio({ n, x, y, xx, xy, yy }: Moments): Estimate | null {
  if (x <= 0) {
    return null;
  }
  const value = y / x;
  if (n < 3) {
    return { value, error: null };
  }
  const squares = Math.max(0, yy - 2 * value * xy + value * value * xx);
  return { value, error: Math.sqrt((squares * n) / (n - 1)) / x };
}

/** The difference of two estimates. */
export function difference(a: Estimate, b: Estimate): Estimate {
  return {
    value: a.value - b.value,
    error: a.error === null || b.error === null ? null : Math.hypot(a.error, b.error),
  };
}

/**
 * Standard error of the estimated lookups of some intervals, as a share of them. That of all windows since the start is known:
 * a part of them has a larger one, as its windows are fewer. A call site's own count adds its own chance.
 *
 * @param counted lookups of the call sites in question; null: all lookups, whose chance is in the known error already
 */
export function relativeError(
  facts: readonly IntervalFacts[],
  mode: 'all' | 'windows',
  counted: number | null,
): number | null {
  if (mode === 'all') {
    return 0;
  }
  const last = facts.findLast(({ errorSoFar }) => errorSoFar !== null);
  const windows = facts.reduce((sum, one) => sum + one.windows, 0);
  if (last === undefined || last.errorSoFar === null || windows === 0 || counted === 0) {
    return null;
  }
  const ofWindows = (last.errorSoFar / 1e6) * Math.sqrt(last.windowsSoFar / windows);
  return counted === null ? ofWindows : Math.hypot(ofWindows, 1 / Math.sqrt(counted));
}

/** Buckets or groups that a lookup in a healthy map hardly ever visits more of. */
export const MANY_PROBES = 5;
const FIRST_MANY = COUNT_BOUNDS.findIndex((bound) => bound > MANY_PROBES);

/** Lookups that visited more than MANY_PROBES. @param at where the tally begins */
export function manyProbes(tally: ArrayLike<number>, at = 0): number {
  const { at: from, bounds } = DISTRIBUTIONS.probeLength;
  let count = 0;
  for (let i = FIRST_MANY; i <= bounds.length; i++) {
    count += tally[at + from + i] ?? 0;
  }
  return count;
}

/** A mean per lookup; null without lookups. */
export function perLookup(tally: ArrayLike<number>, which: number, scale = 1): number | null {
  const lookups = tally[TALLY.lookups] ?? 0;
  return lookups === 0 ? null : (tally[which] ?? 0) / scale / lookups;
}

/** The bound that a share of all lookups does not exceed, as text: `4`, `≤ 16`, `> 1024`. */
export function quantileText(tally: ArrayLike<number>, quantity: Quantity, share: number): string {
  const { at, bounds } = DISTRIBUTIONS[quantity];
  const all = tally[TALLY.lookups] ?? 0;
  let seen = 0;
  for (let i = 0; i <= bounds.length && all > 0; i++) {
    seen += tally[at + i] ?? 0;
    if (seen >= share * all) {
      return bucketText(bounds, i, true);
    }
  }
  return '–';
}

/** The values of a bucket: `3`, `9–10`, `> 1024`. @param asLimit its upper end is meant: `≤ 10` */
export function bucketText(bounds: readonly number[], index: number, asLimit = false): string {
  const bound = bounds[index];
  const before = bounds[index - 1];
  if (bound === undefined) {
    return `> ${bounds.at(-1)}`;
  }
  const isWhole = Number.isInteger(bounds[0]);
  if (isWhole && (before === undefined || bound - before === 1)) {
    return String(bound);
  }
  if (asLimit) {
    return `≤ ${bound}`;
  }
  return isWhole ? `${(before ?? -1) + 1}–${bound}` : `${before ?? 0}–${bound}`;
}
