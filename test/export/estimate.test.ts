import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { CallSiteStats } from '../../src/model/snapshot.ts';
import { callSite, SECOND, START, snapshot } from '../model/fixtures.ts';
import { collect, numbers, producerOf } from './collect.ts';

interface Step {
  lookups: number;
  seconds: number;
  attachedSeconds: number;
}

/** The estimates that a producer gives for a sequence of snapshots. */
async function estimates(steps: readonly Step[]): Promise<number[]> {
  const snapshots = steps.map(({ lookups, seconds, attachedSeconds }, index) => {
    const site: CallSiteStats = { ...callSite(0), lookups };
    return snapshot([site], { seconds, attachedSeconds, time: START + BigInt(index + 1) * SECOND });
  });
  const producer = producerOf(() => snapshots.shift());
  const result: number[] = [];
  for (const _step of steps) {
    result.push(numbers(await collect(producer), 'gomap.lookups.estimated')[0]?.value ?? Number.NaN);
  }
  return result;
}

test('lookups are scaled by the share of time attached', async () => {
  assert.deepEqual(
    await estimates([
      { lookups: 10, seconds: 10, attachedSeconds: 1 },
      // No window in this interval: nothing is known of it until the next one.
      { lookups: 10, seconds: 20, attachedSeconds: 1 },
      { lookups: 30, seconds: 30, attachedSeconds: 2 },
    ]),
    [100, 100, 100 + 20 * 20],
  );
});

test('always attached, the estimate is the count', async () => {
  assert.deepEqual(
    await estimates([
      { lookups: 7, seconds: 1, attachedSeconds: 1 },
      { lookups: 9, seconds: 2, attachedSeconds: 2 },
    ]),
    [7, 9],
  );
});

test('clocks that differ by a rounding error do not take lookups away', async () => {
  assert.deepEqual(await estimates([{ lookups: 1000, seconds: 0.999, attachedSeconds: 1 }]), [1000]);
});

test('an estimate never falls and is never below the count', async () => {
  const increase = fc.record({
    lookups: fc.nat(1000),
    attachedSeconds: fc.double({ min: 0, max: 1, noNaN: true }),
    idleSeconds: fc.double({ min: 0, max: 100, noNaN: true }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(increase, { minLength: 1, maxLength: 10 }), async (increases) => {
      const now: Step = { lookups: 0, seconds: 0, attachedSeconds: 0 };
      const steps = increases.map(({ lookups, attachedSeconds, idleSeconds }) => {
        now.lookups += lookups;
        now.attachedSeconds += attachedSeconds;
        now.seconds += attachedSeconds + idleSeconds;
        return { ...now };
      });
      const result = await estimates(steps);
      result.forEach((estimate, index) => {
        assert.ok(estimate >= (result[index - 1] ?? 0));
        assert.ok(estimate >= (steps[index]?.lookups ?? 0) - 1e-6);
      });
    }),
  );
});
