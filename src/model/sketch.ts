/*
 * The kernel notes which maps a call site looked into by setting one bit of a 512-bit array per map, chosen by a hash of
 * the map's address (linear counting). Bits tell a lower bound and an estimate of the number of maps, and two arrays
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

/**
 * Estimated number of distinct maps, rounded. Near the exact count while few bits are set; a full sketch says no more
 * than "several thousand".
 */
export function estimateDistinct(sketch: readonly bigint[]): number {
  const cells = sketch.length * 64;
  const used = cellsInUse(sketch);
  // Half a free cell stands for a full sketch, whose estimate would be infinite.
  const free = Math.max(cells - used, 0.5);
  return used === 0 ? 0 : Math.max(used, Math.round(-cells * Math.log(free / cells)));
}

/** The sketch of the maps in either. */
export function uniteSketches(a: readonly bigint[], b: readonly bigint[]): bigint[] {
  const [longer, shorter] = a.length >= b.length ? [a, b] : [b, a];
  return longer.map((word, index) => word | (shorter[index] ?? 0n));
}
