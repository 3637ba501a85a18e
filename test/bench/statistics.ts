/** The middle value; of an even number of values the mean of the two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

/** The value that this share of the values is below. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)] ?? Number.NaN;
}

/** A share as people write it, e.g. 1.25 %. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

/** Median and the middle half of shares, e.g. "0.41 % (0.10 to 0.80 %)". */
export function spread(shares: readonly number[]): string {
  const [low, high] = [quantile(shares, 0.25), quantile(shares, 0.75)].map((share) => 100 * share);
  return `${percent(median(shares))} (${low?.toFixed(2)} to ${high?.toFixed(2)} %)`;
}
