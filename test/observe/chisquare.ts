/** Counts by category. */
export type Counts = ReadonlyMap<string, number>;

/** Cells with fewer expected counts than this are put together: the statistic's distribution does not hold for them. */
const LEAST_EXPECTED = 8;

/**
 * Whether two samples may come from the same distribution: Pearson's chi-square test of homogeneity. `limit` is the
 * statistic that samples of one distribution exceed about once in a million times.
 */
export function homogeneity(
  a: Counts,
  b: Counts,
): { statistic: number; degrees: number; limit: number; cells: number } {
  const totals = [total(a), total(b)] as const;
  const share = totals[1] / (totals[0] + totals[1]);
  const rest: [number, number] = [0, 0];
  const cells: [number, number][] = [];
  for (const key of new Set([...a.keys(), ...b.keys()])) {
    const cell: [number, number] = [a.get(key) ?? 0, b.get(key) ?? 0];
    if ((cell[0] + cell[1]) * Math.min(share, 1 - share) >= LEAST_EXPECTED) {
      cells.push(cell);
    } else {
      rest[0] += cell[0];
      rest[1] += cell[1];
    }
  }
  if ((rest[0] + rest[1]) * Math.min(share, 1 - share) >= LEAST_EXPECTED) {
    cells.push(rest);
  }
  let statistic = 0;
  for (const [inA, inB] of cells) {
    const expectedA = (inA + inB) * (1 - share);
    const expectedB = (inA + inB) * share;
    statistic += (inA - expectedA) ** 2 / expectedA + (inB - expectedB) ** 2 / expectedB;
  }
  const degrees = cells.length - 1;
  return { statistic, degrees, limit: chiSquareLimit(degrees), cells: cells.length };
}

function total(counts: Counts): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

/** Exceeded with probability 1e-6, by the approximation of Wilson and Hilferty: z = 4.753. */
function chiSquareLimit(degrees: number): number {
  const part = 2 / (9 * degrees);
  return degrees * (1 - part + 4.753 * Math.sqrt(part)) ** 3;
}
