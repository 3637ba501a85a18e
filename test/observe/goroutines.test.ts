// Lookups by the goroutine that made them, against a program that knows.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { total } from '../../src/model/buckets.ts';
import { heaviestGoroutines } from '../../src/model/heavy/goroutines.ts';
import type { GoroutineCost, GoroutineCosts, Snapshot } from '../../src/model/snapshot.ts';
import { endOf } from '../support/accounts.ts';
import { assertGoroutinesComplete } from './complete.ts';
import { GoroutineService, type Worker } from './goroutine-service.ts';

const LONG = { timeout: 300_000 };
/** Every layout of struct g, both kinds of maps, and before and after goroutines knew their parents. */
const VERSIONS = ['1.17.13', '1.20.14', '1.22.12', '1.23.12', '1.25.9', 'local', '1.27.4'];

function costsOf(snapshot: Snapshot): GoroutineCosts {
  assert.ok(snapshot.goroutines);
  return snapshot.goroutines;
}

function costOf({ kept }: GoroutineCosts, { goroutine }: Worker): GoroutineCost {
  return (
    kept.find((cost) => cost.goroutine === goroutine) ?? assert.fail(`goroutine ${goroutine} is missing`)
  );
}

for (const version of VERSIONS) {
  test(`Go ${version}: each goroutine's lookups are counted for it`, LONG, async () => {
    await using service = await GoroutineService.start(version);
    const workers = await service.workers();
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < workers.length; i++) {
        await service.tell(`work ${i} ${100 * (i + 1)} ${10 * i}`);
      }
      await service.observation.snapshot();
      await service.tell('concurrently 500');
    }
    const snapshot = await endOf(service.observation);
    assertGoroutinesComplete(snapshot);
    const costs = costsOf(snapshot);
    workers.forEach((worker, i) => {
      const cost = costOf(costs, worker);
      const hits = 3 * (100 * (i + 1) + 500 * (i + 1));
      assert.equal(cost.hits, hits);
      assert.equal(cost.lookups, hits + 3 * 10 * i);
      assert.equal(cost.missingAtMost, 0);
      assert.equal(cost.probeLength.counts[1], cost.lookups, 'there is one bucket, or group');
      assert.equal(cost.probeLength.sum, cost.lookups);
      // Misses compare the whole bucket in classic maps, and no more than what is there in Swiss ones.
      const key = i % 4;
      const ofMisses = total(cost.keyComparisons) - (cost.keyComparisons.counts[key + 1] ?? 0);
      if (key < 3) {
        assert.equal(ofMisses, 3 * 10 * i);
      }
      if (Number(version.split('.')[1] ?? 26) >= 21) {
        assert.equal(cost.parentGoroutine, worker.parentGoroutine);
      } else {
        assert.equal(cost.parentGoroutine, undefined);
      }
    });
    assert.deepEqual(costs.unattributed, {});
    const { heaviest } = heaviestGoroutines(costs, 3);
    assert.deepEqual(
      heaviest.map(({ goroutine }) => goroutine),
      workers
        .slice(-3)
        .reverse()
        .map(({ goroutine }) => goroutine),
    );
  });
}

test(
  'far more goroutines than are told apart: the heaviest stay exact, the rest is in other',
  LONG,
  async () => {
    await using service = await GoroutineService.start('local');
    const workers = await service.workers();
    for (let batch = 0; batch < 5; batch++) {
      await service.tell('concurrently 100');
      await service.tell('short 5000 7');
      await service.observation.snapshot();
    }
    const snapshot = await endOf(service.observation);
    assertGoroutinesComplete(snapshot);
    const costs = costsOf(snapshot);
    workers.forEach((worker, i) => {
      assert.deepEqual([costOf(costs, worker).hits, costOf(costs, worker).missingAtMost], [500 * (i + 1), 0]);
    });
    assert.equal(costs.kept.length, 1024);
    assert.deepEqual(costs.unattributed, {});
    const short = costs.kept.filter(({ goroutine }) => workers.every((w) => w.goroutine !== goroutine));
    assert.ok(short.every(({ lookups }) => lookups === 7));
    assert.equal(costs.other.lookups, 7 * (25_000 - short.length));
  },
);

test(
  'more goroutines at once than the kernel has room for are counted, without their goroutine',
  LONG,
  async () => {
    await using service = await GoroutineService.start('local');
    const [first, second] = await service.workers();
    assert.ok(first && second);
    // The first worker has its place before the crowd comes, the second one finds none.
    await service.tell('work 0 100 0');
    await service.tell('short 9000 2');
    await service.tell('work 0 100 50');
    await service.tell('work 1 300 0');
    await service.observation.snapshot();
    await service.tell('work 1 200 0');
    const snapshot = await endOf(service.observation);
    assertGoroutinesComplete(snapshot);
    const costs = costsOf(snapshot);
    assert.deepEqual([costOf(costs, first).hits, costOf(costs, first).lookups], [200, 250]);
    assert.equal(costOf(costs, second).lookups, 200);
    assert.deepEqual(costs.unattributed, { no_room: 300 + 2 * (9000 - 8191) });
    assert.ok(costs.other.lookups > 300 + 2 * (9000 - 8191));
  },
);

test('tending makes room for more goroutines, without a snapshot', LONG, async () => {
  await using service = await GoroutineService.start('local');
  await service.workers();
  for (let batch = 0; batch < 3; batch++) {
    await service.tell('short 6000 2');
    await service.observation.tend();
  }
  const snapshot = await endOf(service.observation);
  assertGoroutinesComplete(snapshot);
  assert.deepEqual(costsOf(snapshot).unattributed, {});
});

test('reading all the time loses nothing', LONG, async () => {
  await using service = await GoroutineService.start('local');
  const workers = await service.workers();
  let done = false;
  const work = service
    .tell('concurrently 30000')
    .then(() => service.tell('concurrently 30000'))
    .then(() => {
      done = true;
    });
  let reads = 0;
  while (!done) {
    await service.observation.snapshot();
    reads++;
  }
  await work;
  assert.ok(reads > 10, `${reads} reads`);
  const snapshot = await endOf(service.observation);
  assertGoroutinesComplete(snapshot);
  workers.forEach((worker, i) => {
    assert.equal(costOf(costsOf(snapshot), worker).lookups, 60_000 * (i + 1));
  });
});

test('in windows goroutines add up as call sites do', LONG, async () => {
  await using service = await GoroutineService.start('local', 'windows');
  const workers = await service.workers();
  let snapshot = await service.observation.snapshot();
  while (snapshot.observed < 500) {
    // Long enough that windows, which open now and then, find lookups.
    await service.tell('concurrently 300000');
    snapshot = await service.observation.snapshot();
  }
  snapshot = await endOf(service.observation);
  assertGoroutinesComplete(snapshot);
  for (const { goroutine } of costsOf(snapshot).kept) {
    assert.ok(
      workers.some((worker) => worker.goroutine === goroutine),
      `goroutine ${goroutine}`,
    );
  }
});
