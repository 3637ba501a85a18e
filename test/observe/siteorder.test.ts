import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SiteOrder } from '../../src/programs/site-order.ts';

test('before anything is known, sites go in as they are', () => {
  const sites = new SiteOrder(3);
  assert.deepEqual([sites.order, sites.busy], [[0, 1, 2], 1]);
  sites.learn([0, 0, 0]);
  assert.deepEqual([sites.order, sites.busy], [[0, 1, 2], 1]);
});

test('sites that are hit most go in last, and those that have nearly all hits are busy', () => {
  const sites = new SiteOrder(5);
  sites.learn([500, 0, 3, 497, 1]);
  assert.deepEqual([sites.order, sites.busy], [[1, 4, 2, 3, 0], 2]);
  const one = new SiteOrder(1);
  one.learn([7]);
  assert.deepEqual([one.order, one.busy], [[0], 0]);
});

test('all sites alike: one goes in on its own', () => {
  const sites = new SiteOrder(4);
  sites.learn([9, 9, 9, 9]);
  assert.deepEqual([sites.order, sites.busy], [[0, 1, 2, 3], 3]);
});

test('what was busy once is forgotten', () => {
  const sites = new SiteOrder(2);
  const counts = [100_000, 0];
  sites.learn(counts);
  assert.deepEqual([sites.order, sites.busy], [[1, 0], 1]);
  for (let window = 0; window < 20; window++) {
    counts[1] = (counts[1] ?? 0) + 1000;
    sites.learn([...counts]);
  }
  assert.deepEqual([sites.order, sites.busy], [[0, 1], 1]);
});
