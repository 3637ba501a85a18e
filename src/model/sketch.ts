/*
 * The kernel notes which maps a call site looked into by setting one bit of a 512-bit array per map, chosen by a hash of
 * the map's address (linear counting). Bits give a lower bound and an estimate of the number of maps, and two arrays
 * can be united without counting a map twice.
 */

/** Bits set: at least so many distinct maps were seen. */
export function cellsInUse(sketch: readonly bigint[]): number {
  let cells = 0;
  for (const word of sketch) {
    for (let rest = BigInt.asUintN(64, word); rest !== 0n; rest &= rest - 1n) {
      cells++;
    }
  }
  return cells;
}

/** Part of the bits up to which the estimate has a standard error of less than 5 %: linear counting gets worse fast then. */
const MOST_IN_USE = 0.86;

/** Estimated number of distinct maps, rounded; null when there were more than the sketch can tell, some thousand. */
export function estimateDistinct(sketch: readonly bigint[]): number | null {
  const cells = sketch.length * 64;
  const used = cellsInUse(sketch);
  if (used === 0) {
    return 0;
  }
  return used > MOST_IN_USE * cells ? null : Math.max(used, Math.round(-cells * Math.log(1 - used / cells)));
}

/** The sketch of the maps in either. */
export function uniteSketches(a: readonly bigint[], b: readonly bigint[]): bigint[] {
  const [longer, shorter] = a.length >= b.length ? [a, b] : [b, a];
  return longer.map((word, index) => word | (shorter[index] ?? 0n));
}
