import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  emptySketch,
  estimateDistinct,
  includeSketch,
  mapsAtLeast,
  REGISTERS,
  SKETCH_BYTES,
  uniteSketches,
} from '../../src/model/sketch.ts';
import { noteMap } from './note-map.ts';

/** A sketch that has seen these maps, in the kernel's way. */
function sketchOf(addresses: Iterable<bigint>): Uint8Array {
  const sketch = emptySketch();
  for (const address of addresses) {
    noteMap(sketch, address);
  }
  return sketch;
}

/** Addresses as an allocator gives them: one after the other, of one size class. */
function* allocated(count: number, from: bigint, size: number): Generator<bigint> {
  for (let i = 0; i < count; i++) {
    yield from + BigInt(i) * BigInt(size);
  }
}

const address = fc.bigInt({ min: 0n, max: 2n ** 44n }).map((n) => n * 8n);
const addresses = fc.array(address, { maxLength: 2000 });

test('a map counts once, however often it is looked into, and in whatever order', () => {
  fc.assert(
    fc.property(addresses, fc.infiniteStream(fc.nat()), (maps, random) => {
      const shuffled = maps
        .map((map) => ({ map, at: random.next().value ?? 0 }))
        .sort((a, b) => a.at - b.at)
        .map(({ map }) => map);
      assert.deepEqual(sketchOf([...maps, ...shuffled, ...maps]), sketchOf(maps));
    }),
  );
});

test('a union is the sketch of the maps in either', () => {
  fc.assert(
    fc.property(addresses, addresses, (a, b) => {
      const before = sketchOf(a);
      const united = uniteSketches(before, sketchOf(b));
      assert.deepEqual(united, sketchOf([...a, ...b]));
      assert.deepEqual(before, sketchOf(a), 'neither is changed');
      includeSketch(before, sketchOf(b));
      assert.deepEqual(before, united);
    }),
  );
});

test('the lower bound is one', () => {
  fc.assert(
    fc.property(addresses, (maps) => {
      const least = mapsAtLeast(sketchOf(maps));
      const distinct = new Set(maps).size;
      assert.ok(least <= distinct && least <= REGISTERS);
      assert.ok((estimateDistinct(sketchOf(maps)) ?? 0) >= least);
      assert.equal(least === 0, distinct === 0);
    }),
  );
});

test('few maps are told exactly, or nearly so', () => {
  assert.equal(estimateDistinct(emptySketch()), 0);
  assert.equal(estimateDistinct(sketchOf([0xc000_0123_40n])), 1);
  for (const count of [2, 3, 5, 8]) {
    const off = Array.from({ length: 200 }, (_, i) =>
      Math.abs(
        (estimateDistinct(sketchOf(allocated(count, 0xc000_0000_00n + BigInt(i) * 65536n, 48))) ?? 0) - count,
      ),
    );
    assert.ok(
      off.every((error) => error <= 1),
      `${count}`,
    );
  }
});

/** Relative errors of estimates of so many maps, allocated in different ways. */
function errorsOf(count: number, trials: number): number[] {
  const sizes = [16, 48, 64, 96, 112, 208, 288, 1152, 4096, 8192];
  return Array.from({ length: trials }, (_, i) => {
    const from = 0xc0_0000_0000n + BigInt(i) * 0x1_2345_6780n;
    const size = sizes[i % sizes.length] ?? 48;
    const estimate = estimateDistinct(sketchOf(allocated(count, from, size)));
    assert.ok(estimate !== null);
    return estimate / count - 1;
  });
}

const rms = (errors: readonly number[]) =>
  Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length);

for (const [count, trials] of [
  [10, 200],
  [100, 200],
  [500, 200],
  [1500, 200],
  [10_000, 200],
  [100_000, 60],
  [1_000_000, 20],
] as const) {
  test(`the standard error of ${count} maps is below 5 %, and there is no bias`, { timeout: 120_000 }, () => {
    const errors = errorsOf(count, trials);
    // What 200 trials say of a standard error is itself off by 5 %, of 20 by 16 %: three times that is allowed.
    assert.ok(rms(errors) < 0.05 * (1 + 3 / Math.sqrt(2 * trials)), `${rms(errors)}`);
    const bias = errors.reduce((sum, error) => sum + error, 0) / trials;
    assert.ok(Math.abs(bias) < (4 * 0.05) / Math.sqrt(trials), `${bias}`);
  });
}

test('from 1 to 1,000,000 maps no estimate is further off than five standard errors', {
  timeout: 120_000,
}, () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 6000 }),
      fc.bigInt({ min: 0xc0_0000_0000n, max: 0xff_ffff_ffffn }),
      fc.constantFrom(8, 16, 48, 112, 4096),
      (exponent, from, size) => {
        const count = Math.round(10 ** (exponent / 1000));
        const estimate = estimateDistinct(sketchOf(allocated(count, from & ~7n, size)));
        assert.ok(
          estimate !== null && Math.abs(estimate - count) <= 0.25 * count + 1,
          `${estimate} of ${count}`,
        );
      },
    ),
    { numRuns: 40 },
  );
});

test('of more than the registers tell there is no estimate', () => {
  assert.equal(estimateDistinct(new Uint8Array(SKETCH_BYTES).fill(0xff)), null);
});
