/**
 * A histogram of one quantity. Buckets are closed above: bucket i counts values in (bounds[i-1], bounds[i]], the last
 * one everything above the last bound. `sum` and `max` are in the quantity's own unit (buckets, comparisons, or a ratio).
 */
export interface Distribution {
  /** Inclusive upper bounds, ascending. */
  bounds: readonly number[];
  /** One more element than `bounds`. */
  counts: number[];
  sum: number;
  /** Largest value seen; for the ratios, whose maximum the kernel does not keep, the bound of the last bucket in use. */
  max: number;
}
