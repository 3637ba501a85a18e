/** Odd multipliers, one per row, of a multiplicative hash (Knuth, TAOCP 3, 6.4). */
const MULTIPLIERS = [0x9e3779b1, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f];
const ROW_BITS = 15;
const ROW = 1 << ROW_BITS;

/**
 * Adds up counts of any number of numbered things in fixed memory (1 MiB), so that the sum of one never comes out too
 * small: a count-min sketch with conservative update (Estan and Varghese, 2002). It comes out too large only when the thing
 * shares its cell in every row with others.
 */
export class UpperCounts {
  readonly #cells = new Float64Array(MULTIPLIERS.length * ROW);

  /** The sum of what was added for this thing, or more. */
  atMost(thing: number): number {
    return Math.min(...cellsOf(thing).map((cell) => this.#cells[cell] ?? 0));
  }

  add(thing: number, count: number): void {
    const sum = this.atMost(thing) + count;
    for (const cell of cellsOf(thing)) {
      this.#cells[cell] = Math.max(this.#cells[cell] ?? 0, sum);
    }
  }
}

/** One cell in each row. */
function cellsOf(thing: number): number[] {
  const folded = (thing ^ (Math.floor(thing / 2 ** 32) * 0x165667b1)) >>> 0;
  return MULTIPLIERS.map((multiplier, row) => {
    const mixed = Math.imul(folded ^ (folded >>> 15), multiplier);
    return row * ROW + (Math.imul(mixed ^ (mixed >>> 13), multiplier) >>> (32 - ROW_BITS));
  });
}
