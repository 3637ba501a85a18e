import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  bucketOf,
  COUNT_BOUNDS,
  distribution,
  highestBoundInUse,
  mean,
  mergeDistributions,
  RATIO_BOUNDS,
  record,
  total,
} from '../../src/model/buckets.ts';
import { distributionOf } from './fixtures.ts';

test('the bounds are those of the kernel: 24 buckets for counts, 11 for ratios, ascending', () => {
  assert.equal(COUNT_BOUNDS.length, 23);
  assert.equal(RATIO_BOUNDS.length, 10);
  for (const bounds of [COUNT_BOUNDS, RATIO_BOUNDS]) {
    assert.deepEqual(
      [...bounds],
      [...bounds].sort((a, b) => a - b),
    );
    assert.equal(new Set(bounds).size, bounds.length);
  }
});

test('bounds are inclusive', () => {
  assert.equal(bucketOf(COUNT_BOUNDS, 0), 0);
  assert.equal(bucketOf(COUNT_BOUNDS, 8), 8);
  assert.equal(bucketOf(COUNT_BOUNDS, 9), 9);
  assert.equal(bucketOf(COUNT_BOUNDS, 10), 9);
  assert.equal(bucketOf(COUNT_BOUNDS, 1024), 22);
  assert.equal(bucketOf(COUNT_BOUNDS, 1025), 23);
  assert.equal(bucketOf(RATIO_BOUNDS, 0.3), 2);
  assert.equal(bucketOf(RATIO_BOUNDS, 1), 9);
});

test('a distribution keeps every value, its sum and its maximum', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3000), { minLength: 1 }), (values) => {
      const result = distributionOf(COUNT_BOUNDS, values);
      assert.equal(total(result), values.length);
      assert.equal(
        result.sum,
        values.reduce((sum, value) => sum + value, 0),
      );
      assert.equal(result.max, Math.max(...values));
      assert.equal(mean(result), result.sum / values.length);
      assert.ok(highestBoundInUse(result.bounds, result.counts) >= Math.min(result.max, 1024));
    }),
  );
});

test('merging is counting both', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3000)), fc.array(fc.nat(3000)), (a, b) => {
      assert.deepEqual(
        mergeDistributions(distributionOf(COUNT_BOUNDS, a), distributionOf(COUNT_BOUNDS, b)),
        distributionOf(COUNT_BOUNDS, [...a, ...b]),
      );
    }),
  );
});

test('merging leaves its arguments as they are', () => {
  const a = distributionOf(COUNT_BOUNDS, [1]);
  mergeDistributions(a, distributionOf(COUNT_BOUNDS, [2]));
  assert.deepEqual(a, distributionOf(COUNT_BOUNDS, [1]));
});

test('what does not fit together is refused', () => {
  assert.throws(() => distribution(COUNT_BOUNDS, [1, 2]), RangeError);
  assert.throws(() => mergeDistributions(distribution(COUNT_BOUNDS), distribution(RATIO_BOUNDS)), RangeError);
});

test('equal bounds need not be the same array', () => {
  const copy = distribution([...COUNT_BOUNDS]);
  record(copy, 5, 2);
  assert.equal(mergeDistributions(distribution(COUNT_BOUNDS), copy).sum, 10);
});

test('an empty distribution has mean 0', () => {
  assert.equal(mean(distribution(COUNT_BOUNDS)), 0);
  assert.equal(highestBoundInUse(COUNT_BOUNDS, distribution(COUNT_BOUNDS).counts), 0);
});
