import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AggregationTemporality, InstrumentType, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import fc from 'fast-check';
import type { CallSiteStats } from '../../src/model/snapshot.ts';
import { callSite, SECOND, START, snapshot } from '../model/fixtures.ts';
import {
  type Collecting,
  collect,
  DELTA,
  histogramPoints,
  metricOf,
  numbers,
  producerOf,
  sumOfNumbers,
} from './collect.ts';

/** A delta producer over growing call sites; each call of `next` collects the state one second later. */
function deltas(states: CallSiteStats[][]): {
  producer: Collecting;
  next: () => Promise<ResourceMetrics>;
} {
  const snapshots = states.map((sites, index) =>
    snapshot(sites, { time: START + BigInt(index + 1) * SECOND }),
  );
  const producer = producerOf(() => snapshots.shift(), { temporality: DELTA });
  return { producer, next: () => collect(producer) };
}

test('a delta is what came since the last delivery, from its end', async () => {
  const { producer, next } = deltas([[callSite(5)], [callSite(8)]]);
  const first = await next();
  assert.equal(metricOf(first, 'gomap.lookups')?.aggregationTemporality, AggregationTemporality.DELTA);
  assert.equal(sumOfNumbers(first, 'gomap.lookups'), 5);
  producer.acknowledge(first);
  const second = await next();
  const [point] = histogramPoints(second, 'gomap.lookup.probe_length');
  assert.equal(point?.value.count, 3);
  assert.equal(point?.value.sum, 3 + 1 + 2);
  assert.deepEqual(point?.startTime, [1_790_000_001, 0]);
  assert.deepEqual(point?.endTime, [1_790_000_002, 0]);
  assert.equal(sumOfNumbers(second, 'gomap.lookups'), 3);
});

test('what was not delivered is part of the next delta', async () => {
  const { producer, next } = deltas([[callSite(5)], [callSite(8)], [callSite(9)]]);
  producer.acknowledge(await next());
  await next();
  const [point] = histogramPoints(await next(), 'gomap.lookup.probe_length');
  assert.equal(point?.value.count, 4);
  assert.deepEqual(point?.startTime, [1_790_000_001, 0]);
  assert.deepEqual(point?.endTime, [1_790_000_003, 0]);
});

test('a series without news is left out, a gauge is not', async () => {
  const { producer, next } = deltas([[callSite(5)], [callSite(5)]]);
  producer.acknowledge(await next());
  const second = await next();
  assert.equal(metricOf(second, 'gomap.lookups'), undefined);
  assert.equal(metricOf(second, 'gomap.lookup.probe_length'), undefined);
  assert.equal(numbers(second, 'gomap.entries')[0]?.value, 95);
});

test('a delivery that is confirmed late does not take anything back', async () => {
  const { producer, next } = deltas([[callSite(5)], [callSite(8)], [callSite(9)]]);
  const first = await next();
  const second = await next();
  producer.acknowledge(second);
  producer.acknowledge(first);
  assert.equal(sumOfNumbers(await next(), 'gomap.lookups'), 1);
});

test('"lowmemory" wants delta histograms and cumulative observed counters', async () => {
  const producer = producerOf(() => snapshot([callSite(1)]), {
    temporality: (instrument) =>
      instrument === InstrumentType.HISTOGRAM || instrument === InstrumentType.COUNTER
        ? AggregationTemporality.DELTA
        : AggregationTemporality.CUMULATIVE,
  });
  const metrics = await collect(producer);
  const temporalityOf = (name: string) => metricOf(metrics, name)?.aggregationTemporality;
  assert.equal(temporalityOf('gomap.lookup.probe_length'), AggregationTemporality.DELTA);
  assert.equal(temporalityOf('gomap.lookups'), AggregationTemporality.CUMULATIVE);
});

test('delivered deltas add up to the count, whichever exports fail', async () => {
  const step = fc.record({ more: fc.tuple(fc.nat(5), fc.nat(5)), delivered: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const count: [number, number] = [0, 0];
      const states = steps.map(({ more }) => {
        count[0] += more[0];
        count[1] += more[1];
        return [callSite(count[0]), callSite(count[1], { hit: false })];
      });
      const { producer, next } = deltas([...states, states.at(-1) ?? []]);
      let lookups = 0;
      let sum = 0;
      for (const delivered of [...steps.map((one) => one.delivered), true]) {
        const metrics = await next();
        if (delivered) {
          producer.acknowledge(metrics);
          lookups += sumOfNumbers(metrics, 'gomap.lookups');
          sum += histogramPoints(metrics, 'gomap.lookup.probe_length').reduce(
            (all, { value }) => all + (value.sum ?? 0),
            0,
          );
        }
      }
      assert.equal(lookups, count[0] + count[1]);
      assert.equal(sum, callSite(count[0]).probeLength.sum + callSite(count[1]).probeLength.sum);
    }),
    { numRuns: 50 },
  );
});

for (const temporality of ['delta', 'cumulative'] as const) {
  test(`${temporality}: counts that fall, because a function is left out, stay as they were told`, async () => {
    const states = [5, 2, 4, 6].map((lookups, i) =>
      snapshot([callSite(lookups)], { time: START + BigInt(i + 1) * SECOND }),
    );
    const producer = producerOf(() => states.shift(), temporality === 'delta' ? { temporality: DELTA } : {});
    const told: number[] = [];
    for (const _ of [1, 2, 3, 4]) {
      const metrics = await collect(producer);
      producer.acknowledge(metrics);
      told.push(sumOfNumbers(metrics, 'gomap.lookups'));
      const points = histogramPoints(metrics, 'gomap.lookup.probe_length');
      const counts = points.flatMap(({ value }) => [value.count, value.sum ?? 0, ...value.buckets.counts]);
      assert.ok(
        counts.every((count) => count >= 0),
        `${counts}`,
      );
    }
    assert.deepEqual(told, temporality === 'delta' ? [5, 0, 0, 1] : [5, 5, 5, 6]);
  });
}

test('deltas add up when the time of day is set back between exports', async () => {
  const times = [10n, 20n, 15n, 12n, 30n];
  const snapshots = times.map((time, i) =>
    snapshot([callSite(100 * (i + 1))], { time: START + time * SECOND }),
  );
  const producer = producerOf(() => snapshots.shift(), { temporality: DELTA });
  let lookups = 0;
  for (const _ of times) {
    const metrics = await collect(producer);
    producer.acknowledge(metrics);
    lookups += sumOfNumbers(metrics, 'gomap.lookups');
  }
  assert.equal(lookups, 500);
});
