import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ValueType } from '@opentelemetry/api';
import { AggregationTemporality, DataPointType } from '@opentelemetry/sdk-metrics';
import fc from 'fast-check';
import type { Snapshot } from '../../src/model/snapshot.ts';
import {
  FOLLOWING_METRICS,
  type MetricContract,
  SCOPES,
  SELF_METRICS,
  SPIKE_METRICS,
} from '../../src/otel/contract/metrics.ts';
import { callSite, following, SECOND, START, snapshot } from '../model/fixtures.ts';
import { increase } from '../model/goroutines.ts';
import {
  type Collecting,
  CUMULATIVE,
  collect,
  DELTA,
  metricNames,
  metricOf,
  numbers,
  producerOf,
  sumOfNumbers,
} from './collect.ts';
import { spikeTotals } from './spikes.ts';

const CONTRACTS: readonly MetricContract[] = [SELF_METRICS, SPIKE_METRICS, FOLLOWING_METRICS].flatMap(
  (metrics) => Object.values(metrics),
);

/** The state some seconds after the start. */
function after(seconds: number, overrides: Partial<Snapshot> = {}): Snapshot {
  return snapshot([callSite(1)], { time: START + BigInt(seconds) * SECOND, ...overrides });
}

/** Collects one snapshot after the other. */
function over(snapshots: (Snapshot | undefined)[], temporality = CUMULATIVE): Collecting {
  const left = [...snapshots];
  return producerOf(() => left.shift(), { temporality });
}

test('each metric of mapscope itself has an instrument, as its contract says', async () => {
  const everything = after(1, {
    dropped: { table_full: 1 },
    inexact: { long_key: 1 },
    goroutines: { kept: [], other: increase(0, 2), unattributed: { no_room: 2 } },
    spikes: spikeTotals(),
    following: following(),
  });
  const { scopeMetrics } = await collect(over([everything]));
  const own = scopeMetrics.find(({ scope }) => scope.name === SCOPES.self)?.metrics ?? [];
  assert.deepEqual(
    own.map(({ descriptor: { name, unit, description, valueType }, dataPointType }) => ({
      name,
      unit,
      description,
      integer: valueType === ValueType.INT,
      kind: dataPointType === DataPointType.SUM ? 'counter' : DataPointType[dataPointType].toLowerCase(),
    })),
    CONTRACTS.map(({ name, unit, description, integer, kind }) => ({
      name,
      unit,
      description,
      integer,
      kind,
    })),
  );
  assert.ok(own.every((metric) => metric.dataPointType !== DataPointType.SUM || metric.isMonotonic));
});

test('points have the times of the count, from the first collection on', async () => {
  const producer = over([after(1), after(2)]);
  for (const second of [1, 2]) {
    const metrics = await collect(producer);
    for (const name of ['mapscope.hits', 'mapscope.overhead.hit.time']) {
      const [point] = metricOf(metrics, name)?.dataPoints ?? [];
      assert.deepEqual(point?.startTime, [1_790_000_000, 0], name);
      assert.deepEqual(point?.endTime, [1_790_000_000 + second, 0], name);
    }
  }
});

test('a delta goes on from what was delivered, whichever exports fail', async () => {
  const step = fc.record({ hits: fc.nat(1e6), reason: fc.nat(3), delivered: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      let hits = 0;
      let unreadable = 0;
      const snapshots = [...steps, { hits: 0, reason: 0 }].map((more, index) => {
        hits += more.hits;
        unreadable += more.reason;
        return after(index + 1, { hits, unreadable: { stack: unreadable } });
      });
      const producer = over(snapshots, DELTA);
      const delivered = { hits: 0, unreadable: 0 };
      let end = 0;
      for (const [index, last] of [...steps.map((one) => one.delivered), true].entries()) {
        const metrics = await collect(producer);
        const data = metricOf(metrics, 'mapscope.hits');
        const [point] = data?.dataPoints ?? [];
        if (point !== undefined) {
          assert.equal(data?.aggregationTemporality, AggregationTemporality.DELTA);
          assert.deepEqual(point.startTime, [1_790_000_000 + end, 0]);
          assert.deepEqual(point.endTime, [1_790_000_001 + index, 0]);
        }
        if (last) {
          producer.acknowledge(metrics);
          end = point === undefined ? end : index + 1;
          delivered.hits += sumOfNumbers(metrics, 'mapscope.hits');
          delivered.unreadable += sumOfNumbers(metrics, 'mapscope.lookups.unreadable');
        }
      }
      assert.deepEqual(delivered, { hits, unreadable });
    }),
    { numRuns: 50 },
  );
});

test('seconds that add up over many collections stay those that were measured', async () => {
  const each = 0.1 + 1e-9;
  let attachedSeconds = 0;
  let index = 0;
  const producer = producerOf(() => {
    attachedSeconds += each;
    return after(++index, { attachedSeconds });
  });
  let last = 0;
  for (let i = 0; i < 1000; i++) {
    const [point] = numbers(await collect(producer), 'mapscope.attached.time');
    assert.ok(point !== undefined && point.value >= last);
    assert.ok(Math.abs(point.value - attachedSeconds) < 1e-9, `${point.value} of ${attachedSeconds}`);
    last = point.value;
  }
});

test('when the observation cannot be read, old values are not sent once more', async () => {
  const states: (() => Snapshot | undefined)[] = [
    () => after(1),
    () => {
      throw new Error('the map is gone');
    },
    () => undefined,
    () => after(2, { hits: 50 }),
  ];
  const producer = producerOf(() => states.shift()?.());
  assert.ok(metricNames(await collect(producer)).includes('mapscope.hits'));
  const failed = await producer.collect();
  assert.deepEqual(failed.resourceMetrics.scopeMetrics, []);
  assert.match(String(failed.errors[0]), /the map is gone/);
  assert.deepEqual((await collect(producer)).scopeMetrics, []);
  assert.equal(sumOfNumbers(await collect(producer), 'mapscope.hits'), 50);
});

test('what is not observed any more has no points', async () => {
  const { overhead } = after(1);
  const noCpuTime = { overhead: { ...overhead, targetCpuSeconds: 0 } };
  const again = { startTime: START + 5n * SECOND, inexact: { long_key: 1 } };
  const producer = over([after(1, { inexact: { dynamic_type: 7 } }), after(2, noCpuTime), after(6, again)]);
  assert.ok(metricNames(await collect(producer)).includes('mapscope.overhead.share'));
  assert.ok(!metricNames(await collect(producer)).includes('mapscope.overhead.share'));
  const metrics = await collect(producer);
  assert.deepEqual(numbers(metrics, 'mapscope.lookups.inexact'), [
    { attributes: { 'mapscope.reason': 'long_key' }, value: 1 },
  ]);
  assert.deepEqual(metricOf(metrics, 'mapscope.hits')?.dataPoints[0]?.startTime, [1_790_000_005, 0]);
});

test('a clock that is set back does not hold up gauges', async (context) => {
  const { overhead } = after(1);
  const costs = [1e-7, 2e-7, 3e-7];
  const producer = over(
    costs.map((trapSeconds, index) => after(index + 1, { overhead: { ...overhead, trapSeconds } })),
  );
  const now = Date.now();
  context.mock.timers.enable({ apis: ['Date'], now });
  const told: (number | undefined)[] = [];
  for (const step of [0, -3_600_000, 0]) {
    context.mock.timers.setTime(now + step);
    told.push(numbers(await collect(producer), 'mapscope.overhead.hit.time')[0]?.value);
  }
  assert.deepEqual(told, costs);
});
