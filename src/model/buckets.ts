import type { Distribution } from './distribution.ts';

/**
 * Inclusive upper bounds of the distributions of counts (probe length, key comparisons): exact from 0 to 8. The kernel
 * counts into buckets of the same bounds (bpf/shared/bounds.h); decoders of its records pass these to `distribution`.
 */
export const COUNT_BOUNDS: readonly number[] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024,
];

/** Inclusive upper bounds of the distributions of ratios (home position, load factor): tenths. */
export const RATIO_BOUNDS: readonly number[] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

/**
 * A distribution over `bounds`. `counts` has one more element than `bounds` and is taken as it is; without it the
 * distribution is empty.
 */
export function distribution(bounds: readonly number[], counts?: number[], sum = 0, max = 0): Distribution {
  const filled = counts ?? new Array<number>(bounds.length + 1).fill(0);
  if (filled.length !== bounds.length + 1) {
    throw new RangeError(`${bounds.length} bounds need ${bounds.length + 1} counts, not ${filled.length}`);
  }
  return { bounds, counts: filled, sum, max };
}

/** Index of the bucket that `value` belongs to: the first whose inclusive upper bound is not below it. */
export function bucketOf(bounds: readonly number[], value: number): number {
  const index = bounds.findIndex((bound) => value <= bound);
  return index < 0 ? bounds.length : index;
}

/** Counts `times` occurrences of `value`. */
export function record(into: Distribution, value: number, times = 1): void {
  const index = bucketOf(into.bounds, value);
  into.counts[index] = (into.counts[index] ?? 0) + times;
  into.sum += value * times;
  into.max = Math.max(into.max, value);
}

/** The bound of the highest bucket in use: an upper limit of what was seen, for quantities without a kept maximum. */
export function highestBoundInUse(bounds: readonly number[], counts: readonly number[]): number {
  const index = counts.findLastIndex((count) => count > 0);
  return index < 0 ? 0 : (bounds[Math.min(index, bounds.length - 1)] ?? 0);
}

/**
 * The smallest value that a share of all values do not exceed, as far as buckets tell: exact where the bucket holds one whole
 * number, else its bound, or the maximum where that is less.
 */
export function quantile(of: Distribution, share: number): { value: number; isExact: boolean } {
  const wanted = share * total(of);
  let seen = 0;
  const index = of.counts.findIndex((count) => {
    seen += count;
    return seen >= wanted && seen > 0;
  });
  const bound = of.bounds[index] ?? of.max;
  const value = Math.min(bound, of.max);
  const isSingle = index === 0 || bound - (of.bounds[index - 1] ?? Number.NEGATIVE_INFINITY) === 1;
  return { value, isExact: isSingle };
}

/** Number of values in a distribution. */
export function total(of: Distribution): number {
  return of.counts.reduce((sum, count) => sum + count, 0);
}

/** Mean value, or 0 of an empty distribution. */
export function mean(of: Distribution): number {
  const count = total(of);
  return count === 0 ? 0 : of.sum / count;
}

/** The two distributions as one; both must have the same bounds. */
export function mergeDistributions(a: Distribution, b: Distribution): Distribution {
  if (a.bounds !== b.bounds && !sameBounds(a.bounds, b.bounds)) {
    throw new RangeError('distributions with different bounds cannot be merged');
  }
  return {
    bounds: a.bounds,
    counts: a.counts.map((count, index) => count + (b.counts[index] ?? 0)),
    sum: a.sum + b.sum,
    max: Math.max(a.max, b.max),
  };
}

/** `whole` without `part`, which it contains. The maximum stays: it may have been that of either. */
export function subtractDistribution(whole: Distribution, part: Distribution): Distribution {
  return {
    bounds: whole.bounds,
    counts: whole.counts.map((count, index) => count - (part.counts[index] ?? 0)),
    sum: whole.sum - part.sum,
    max: whole.max,
  };
}

function sameBounds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((bound, index) => bound === b[index]);
}
