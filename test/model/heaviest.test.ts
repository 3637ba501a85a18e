import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { heaviestGoroutines, sumOfCosts } from '../../src/model/heavy/goroutines.ts';
import { type CostIncrease, HeaviestGoroutines } from '../../src/model/heavy/heaviest.ts';
import { UpperCounts } from '../../src/model/heavy/upper-counts.ts';
import { increase } from './goroutines.ts';

/** Reads, each with the increases of some goroutines; few ids, so that they come back after they were given up. */
const reads = fc.array(
  fc.uniqueArray(
    fc.record({
      goroutine: fc.integer({ min: 1, max: 40 }),
      lookups: fc.integer({ min: 1, max: 100 }),
      probes: fc.integer({ min: 1, max: 2000 }),
    }),
    { selector: ({ goroutine }) => goroutine, maxLength: 25 },
  ),
  { maxLength: 20 },
);

test('nothing is lost, and what is kept is between its limits', () => {
  fc.assert(
    fc.property(reads, fc.integer({ min: 1, max: 12 }), (all, room) => {
      const heaviest = new HeaviestGoroutines(room);
      const truth = new Map<number, number>();
      const everything: CostIncrease[] = [];
      for (const read of all) {
        const increases = read.map(({ goroutine, lookups, probes }) => increase(goroutine, lookups, probes));
        heaviest.add(increases);
        everything.push(...increases);
        for (const { goroutine, lookups } of increases) {
          truth.set(goroutine, (truth.get(goroutine) ?? 0) + lookups);
        }

        const { kept, other } = heaviest.costs;
        assert.ok(kept.length <= room);
        assert.deepEqual(sumOfCosts([...kept, other]), sumOfCosts(everything));
        let least = Number.POSITIVE_INFINITY;
        for (const { goroutine, lookups, missingAtMost } of kept) {
          const made = truth.get(goroutine) ?? 0;
          assert.ok(
            lookups <= made && made <= lookups + missingAtMost,
            `${lookups} ${made} ${missingAtMost}`,
          );
          least = Math.min(least, lookups + missingAtMost);
        }
        for (const [goroutine, made] of truth) {
          if (kept.every((cost) => cost.goroutine !== goroutine)) {
            assert.ok(made <= least);
          }
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test('while there is room every goroutine is exact', () => {
  const heaviest = new HeaviestGoroutines(3);
  heaviest.add([increase(7, 10), increase(8, 20, 4)]);
  heaviest.add([increase(9, 5), increase(7, 100, 9)]);
  const { kept, other, unattributed } = heaviest.costs;
  assert.deepEqual(
    kept.map(({ goroutine, lookups, hits, missingAtMost }) => [goroutine, lookups, hits, missingAtMost]),
    [
      [7, 110, 55, 0],
      [8, 20, 10, 0],
      [9, 5, 2, 0],
    ],
  );
  assert.deepEqual(kept[0]?.probeLength.max, 9);
  assert.equal(kept[0]?.probeLength.sum, 910);
  assert.equal(other.lookups, 0);
  assert.deepEqual(unattributed, {});
});

test('a steady goroutine is not kept out for ever by those that were heavier once', () => {
  const heaviest = new HeaviestGoroutines(10);
  heaviest.add(Array.from({ length: 10 }, (_, i) => increase(i + 1, 101)));
  for (let i = 0; i < 3; i++) {
    heaviest.add([increase(99, 100)]);
  }
  const steady = heaviest.costs.kept.find(({ goroutine }) => goroutine === 99);
  assert.deepEqual([steady?.lookups, steady?.missingAtMost], [200, 100]);
});

test('one heavy goroutine that has ended stays among 200,000 light ones', () => {
  const heaviest = new HeaviestGoroutines(100);
  heaviest.add([increase(1, 5000)]);
  for (let first = 2; first < 200_000; first += 5000) {
    heaviest.add(Array.from({ length: 5000 }, (_, i) => increase(first + i, 3)));
  }
  const [{ goroutine, lookups, missingAtMost } = assert.fail()] = heaviestGoroutines(
    heaviest.costs,
    1,
  ).heaviest;
  assert.deepEqual([goroutine, lookups, missingAtMost], [1, 5000, 0]);
});

test('what cannot be counted for a goroutine is in other, by reason', () => {
  const heaviest = new HeaviestGoroutines();
  heaviest.addUnattributed('no_room', increase(0, 10));
  heaviest.addUnattributed('no_goroutine', increase(0, 0));
  heaviest.addUnattributed('no_room', increase(0, 5));
  assert.deepEqual(heaviest.costs.unattributed, { no_room: 15 });
  assert.equal(heaviest.costs.other.lookups, 15);
});

test('the heaviest come first, and the rest is in other', () => {
  const heaviest = new HeaviestGoroutines();
  heaviest.add([increase(1, 5), increase(2, 50), increase(3, 7), increase(4, 7)]);
  heaviest.addUnattributed('no_room', increase(0, 10));
  const report = heaviestGoroutines(heaviest.costs, 2);
  assert.deepEqual(
    report.heaviest.map(({ goroutine }) => goroutine),
    [2, 3],
  );
  assert.equal(report.other.lookups, 22);
});

test('sums are never told too small, and hardly too large while they are few', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 2 ** 40 }), fc.integer({ min: 1, max: 1000 })), {
        maxLength: 300,
      }),
      (additions) => {
        const counts = new UpperCounts();
        const truth = new Map<number, number>();
        for (const [thing, count] of additions) {
          counts.add(thing, count);
          truth.set(thing, (truth.get(thing) ?? 0) + count);
        }
        for (const [thing, sum] of truth) {
          assert.ok(counts.atMost(thing) >= sum);
        }
      },
    ),
  );
  const counts = new UpperCounts();
  for (let thing = 1; thing <= 8000; thing++) {
    counts.add(thing, 1000);
  }
  const unseen = Array.from({ length: 2000 }, (_, i) => counts.atMost(50_000 + i));
  assert.ok(unseen.filter((sum) => sum > 0).length < 40, 'a quarter to the fourth of them, or so');
  for (let thing = 1; thing <= 8000; thing++) {
    assert.ok(counts.atMost(thing) < 5000);
  }
});
