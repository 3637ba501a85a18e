import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LookupEstimates } from '../../src/observe/windows/estimate.ts';
import { Sampling } from '../../src/observe/windows/sampling.ts';
import type { LookupCount } from '../../src/programs/readers/aggregate.ts';
import { seeded } from './random.ts';

/** Of a target that has CPU time to spare. */
const IDLE = { cpuSeconds: 1, costSeconds: 0, spanCpuSeconds: 1 };

function aggregate(lookups: number, caller = 1): LookupCount {
  return { key: `${caller} 2`, lookups };
}

test('a window stands for the time since the one before it', () => {
  const sampling = new Sampling();
  sampling.add({ decoded: 10, openSeconds: 0.01, spanSeconds: 1, full: false, ...IDLE });
  sampling.add({ decoded: 30, openSeconds: 0.01, spanSeconds: 0.5, full: true, ...IDLE });
  sampling.add({ decoded: 0, openSeconds: 0.02, spanSeconds: 2, full: false, ...IDLE });
  assert.deepEqual(
    [sampling.windows, sampling.full, sampling.decoded, sampling.estimated],
    [3, 1, 40, 1000 + 1500],
  );
  assert.ok(Math.abs(sampling.openSeconds - 0.04) < 1e-12);
});

test('the standard error is about what estimates are really off by', () => {
  const random = seeded(1);
  let squared = 0;
  let told = 0;
  const runs = 300;
  for (let run = 0; run < runs; run++) {
    const sampling = new Sampling();
    // Twenty lookups a window on average, in clumps of ten.
    for (let window = 0; window < 50; window++) {
      let decoded = 0;
      for (let clump = 0; clump < 20; clump++) {
        decoded += random() < 0.1 ? 10 : 0;
      }
      sampling.add({ decoded, openSeconds: 0.01, spanSeconds: 1, full: false, ...IDLE });
    }
    squared += (sampling.estimated / 100_000 - 1) ** 2;
    told += sampling.relativeError ?? assert.fail('there are windows enough');
  }
  const real = Math.sqrt(squared / runs);
  assert.ok(Math.abs(told / runs / real - 1) < 0.2, `told ${told / runs}, real ${real}`);
});

test('lookups are scaled by what the windows of their time stand for', () => {
  const estimates = new LookupEstimates();
  const one = aggregate(10);
  estimates.update([one], { decoded: 20, estimated: 200 });
  assert.equal(estimates.of(one), 100);
  // No window since: nothing new is known.
  estimates.update([one], { decoded: 20, estimated: 200 });
  assert.equal(estimates.of(one), 100);
  const [more, other] = [aggregate(30), aggregate(5, 7)];
  estimates.update([more, other], { decoded: 45, estimated: 700 });
  assert.equal(estimates.of(more), 100 + 20 * 20);
  assert.equal(estimates.of(other), 5 * 20);
});

test('always attached, the estimate is the count', () => {
  const estimates = new LookupEstimates();
  for (const lookups of [7, 9]) {
    estimates.update([aggregate(lookups)], { decoded: 3 * lookups, estimated: 3 * lookups });
    assert.equal(estimates.of(aggregate(lookups)), lookups);
  }
});

test('an estimate never falls and is never below the count', () => {
  const random = seeded(2);
  for (let run = 0; run < 100; run++) {
    const estimates = new LookupEstimates();
    const now = { decoded: 0, estimated: 0, lookups: 0 };
    let before = 0;
    for (let step = 0; step < 20; step++) {
      const decoded = random() < 0.3 ? 0 : Math.floor(1000 * random());
      now.decoded += decoded;
      now.estimated += decoded * (0.9 + 100 * random());
      now.lookups += Math.floor(random() * (decoded + 1));
      const one = aggregate(now.lookups);
      estimates.update([one], { decoded: now.decoded, estimated: now.estimated });
      const estimate = estimates.of(one);
      assert.ok(estimate >= before && estimate >= now.lookups - 1e-6);
      before = estimate;
    }
  }
});

test('how far windows may have slowed lookups down is known', () => {
  const sampling = new Sampling();
  assert.equal(sampling.underestimate, undefined);
  // Half of the CPU time of the window went into the hits: as many lookups again would have been made.
  sampling.add({
    decoded: 10,
    openSeconds: 0.01,
    spanSeconds: 1,
    full: false,
    cpuSeconds: 0.02,
    costSeconds: 0.01,
    spanCpuSeconds: 0,
  });
  assert.equal(sampling.underestimate, 0.5);
  assert.equal(sampling.atMost, 2000);
  // The reckoning is not exact, and says no nonsense.
  sampling.add({
    decoded: 10,
    openSeconds: 0.01,
    spanSeconds: 1,
    full: false,
    cpuSeconds: 0.01,
    costSeconds: 0.02,
    spanCpuSeconds: 0,
  });
  assert.ok(sampling.atMost > 2000 && Number.isFinite(sampling.atMost));
});

test('a target that has less CPU while windows are open makes more lookups between them', () => {
  const sampling = new Sampling();
  // In the window it had half a CPU, half of which went into the hits; in the whole span it had a CPU of its own.
  sampling.add({
    decoded: 10,
    openSeconds: 0.01,
    spanSeconds: 1,
    full: false,
    cpuSeconds: 0.005,
    costSeconds: 0.0025,
    spanCpuSeconds: 1,
  });
  assert.equal(sampling.estimated, 1000);
  assert.ok(Math.abs(sampling.atMost - (10 / 0.0025) * (1 - 0.0025)) < 1e-6, `${sampling.atMost}`);
});

test('where hits take nearly all of the windows, there is no upper end', () => {
  const sampling = new Sampling();
  const window = { decoded: 10, openSeconds: 0.01, spanSeconds: 1, full: false, spanCpuSeconds: 1 };
  for (let i = 0; i < 99; i++) {
    sampling.add({ ...window, cpuSeconds: 0.02, costSeconds: 0.01 });
  }
  sampling.add({ ...window, cpuSeconds: 0.02, costSeconds: 0.019 });
  assert.ok((sampling.underestimate ?? 1) < 1, 'one of a hundred does not hide the others');
  for (let i = 0; i < 9; i++) {
    sampling.add({ ...window, cpuSeconds: 0.02, costSeconds: 0.019 });
  }
  assert.equal(sampling.underestimate, 1);
});
