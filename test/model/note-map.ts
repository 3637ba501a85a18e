import { REGISTERS } from '../../src/model/sketch.ts';

/* What the kernel does with a map's address (remember_map() in bpf/counts/maps_seen.bpf.h), in 64-bit arithmetic of its own. */

const MULTIPLIER = 0x9e3779b97f4a7c15n;
const SPREAD = 0xbf58476d1ce4e5b9n;
const MOST_RANK = 15;

/** The upper and the lower half of the product of two 64-bit numbers, as far as it has 64 bits. */
function product(
  [high, low]: readonly [number, number],
  [otherHigh, otherLow]: readonly [number, number],
): [number, number] {
  const a0 = low & 0xffff;
  const a1 = low >>> 16;
  const b0 = otherLow & 0xffff;
  const b1 = otherLow >>> 16;
  const middle = a1 * b0 + (((a0 * b0) / 65536) >>> 0);
  const carried = (middle % 65536) + a0 * b1;
  const upper = a1 * b1 + Math.floor(middle / 65536) + Math.floor(carried / 65536);
  const crossed = Math.imul(high, otherLow) + Math.imul(low, otherHigh);
  return [(upper + crossed) >>> 0, Math.imul(low, otherLow) >>> 0];
}

const halves = (word: bigint): [number, number] => [Number(word >> 32n), Number(word & 0xffff_ffffn)];
const FIRST = halves(MULTIPLIER);
const SECOND = halves(SPREAD);

/** Has the sketch see a map. */
export function noteMap(sketch: Uint8Array, address: bigint): void {
  const [high, low] = product(halves(address), FIRST);
  const [upper] = product([high, (low ^ high) >>> 0], SECOND);
  const register = upper >>> 23;
  // 14 bits, and a one.
  const bits = ((upper >>> 9) & 0x3fff) * 2 + 1;
  const rank = Math.clz32(bits) - (32 - MOST_RANK) + 1;
  if (register >= REGISTERS || rank < 1 || rank > MOST_RANK) {
    throw new RangeError(`register ${register}, rank ${rank}`);
  }
  const at = register >> 1;
  const shift = (register & 1) * 4;
  const pair = sketch[at] ?? 0;
  if (rank > ((pair >> shift) & 15)) {
    sketch[at] = (pair & ~(15 << shift)) | (rank << shift);
  }
}
