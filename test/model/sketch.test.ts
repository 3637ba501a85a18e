import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cellsInUse, estimateDistinct, uniteSketches } from '../../src/model/sketch.ts';

const CELLS = 512;

/** A sketch with the given cells set. */
function sketchOf(cells: readonly number[]): bigint[] {
  const words = new Array<bigint>(CELLS / 64).fill(0n);
  for (const cell of cells) {
    const word = Math.floor(cell / 64);
    words[word] = (words[word] ?? 0n) | (1n << BigInt(cell % 64));
  }
  return words;
}

const cells = fc.array(fc.nat(CELLS - 1));

test('cells in use are counted', () => {
  fc.assert(
    fc.property(cells, (set) => {
      assert.equal(cellsInUse(sketchOf(set)), new Set(set).size);
    }),
  );
});

test('union counts a shared map once', () => {
  fc.assert(
    fc.property(cells, cells, (a, b) => {
      assert.deepEqual(uniteSketches(sketchOf(a), sketchOf(b)), sketchOf([...a, ...b]));
    }),
  );
});

test('the estimate is near for what the sketch can hold, and beyond that there is none', () => {
  assert.equal(estimateDistinct(sketchOf([])), 0);
  assert.equal(estimateDistinct(sketchOf([7])), 1);
  for (const count of [10, 100, 400, 900]) {
    // Multiplication by an odd number spreads as a good hash would; the seed is fixed.
    const set = Array.from({ length: count }, (_, index) => hash(index) % CELLS);
    const estimate = estimateDistinct(sketchOf(set)) ?? assert.fail(`no estimate of ${count}`);
    assert.ok(Math.abs(estimate - count) < 0.1 * count + 3, `${count} estimated as ${estimate}`);
  }
  for (const count of [1500, 100_000]) {
    const set = Array.from({ length: count }, (_, index) => hash(index) % CELLS);
    assert.equal(estimateDistinct(sketchOf(set)), null, `${count}`);
  }
});

function hash(value: number): number {
  let mixed = Math.imul(value + 1, 0x9e3779b1) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca77) >>> 0;
  return (mixed ^ (mixed >>> 13)) >>> 0;
}
