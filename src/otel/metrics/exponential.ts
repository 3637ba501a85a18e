import type { ExponentialHistogram } from '@opentelemetry/sdk-metrics';
import type { Distribution } from '../../model/distribution.ts';

/*
 * Histograms of counts as exponential histograms (docs/design/0004-exponential-histograms.md).
 *
 * A bucket of the kernel counts integers in (lower, upper], but not which ones. All of them go into the exponential bucket
 * that holds `upper`. Each bucket has a fixed place, so that counts never fall from one export to the next, and deltas
 * add up. It follows:
 *
 * - 0 goes to the zero count, and a bucket of a single value (1 to 8) goes where that value belongs. Both are exact.
 * - The number of values <= b is exact for each bound b, because each bound has an exponential bucket of its own.
 * - A value in a wider bucket appears too large, by a factor of at most upper / (lower + 1): 1.12 up to 12, 1.29 up to 32,
 *   1.49 up to 256, 2 up to 1024.
 * - Values above the last bound appear in the bucket of 1025, the smallest of them. How much too small is not known.
 * - Count and sum are exact, and so is the mean.
 */

/**
 * Buckets grow by 2^(1/8) = 1.09. This is the smallest scale at which each bound has a bucket of its own: at scale 2, 7 and 8
 * share one. It is fixed, so that receivers need not merge histograms of different scales.
 */
export const SCALE = 3;
const BUCKETS_PER_DOUBLING = 2 ** SCALE;

/** The zero count's place in a table of indexes. */
const ZERO = Number.NEGATIVE_INFINITY;

/** The exponential index of each bucket, by bounds. */
const TABLES = new WeakMap<readonly number[], readonly number[]>();

/** The distribution as an exponential histogram. Bounds must be integers, the first of them 0. */
export function exponentialValue({ bounds, counts, sum }: Distribution): ExponentialHistogram {
  const indexes = indexesOf(bounds);
  const byIndex = new Map<number, number>();
  counts.forEach((count, bucket) => {
    const index = indexes[bucket];
    if (count > 0 && index !== undefined) {
      byIndex.set(index, (byIndex.get(index) ?? 0) + count);
    }
  });
  const zeroCount = byIndex.get(ZERO) ?? 0;
  byIndex.delete(ZERO);
  return {
    count: counts.reduce((all, count) => all + count, 0),
    sum,
    scale: SCALE,
    zeroCount,
    positive: bucketsOf(byIndex),
    negative: { offset: 0, bucketCounts: [] },
  };
}

/** Index of the bucket that holds a positive integer: the one of (2^(index/8), 2^((index+1)/8)]. */
export function indexOf(value: number): number {
  // Math.log2 is exact for powers of 2. A test shows that no other integer up to 2^20 comes near a bound of a bucket.
  return Math.ceil(Math.log2(value) * BUCKETS_PER_DOUBLING) - 1;
}

/** From the lowest to the highest bucket in use. */
function bucketsOf(byIndex: ReadonlyMap<number, number>): ExponentialHistogram['positive'] {
  if (byIndex.size === 0) {
    return { offset: 0, bucketCounts: [] };
  }
  const offset = Math.min(...byIndex.keys());
  const length = Math.max(...byIndex.keys()) - offset + 1;
  return { offset, bucketCounts: Array.from({ length }, (_, place) => byIndex.get(offset + place) ?? 0) };
}

function indexesOf(bounds: readonly number[]): readonly number[] {
  const known = TABLES.get(bounds);
  if (known !== undefined) {
    return known;
  }
  const last = bounds.at(-1) ?? 0;
  const indexes = [...bounds, last + 1].map((upper) => (upper === 0 ? ZERO : indexOf(upper)));
  TABLES.set(bounds, indexes);
  return indexes;
}
