import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ValueType } from '@opentelemetry/api';
import { AggregationTemporality, DataPointType } from '@opentelemetry/sdk-metrics';
import { OTHERS, OTHERS_NAME } from '../../src/model/position.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { NO_MAP } from '../../src/model/snapshot.ts';
import { MAP_METRICS, SELF_METRICS } from '../../src/otel/contract/metrics.ts';
import { callSite, SECOND, START, snapshot } from '../model/fixtures.ts';
import {
  CUMULATIVE,
  collect,
  DELTA,
  histogramPoints,
  metricNames,
  metricOf,
  numbers,
  producerOf,
  sumOfNumbers,
} from './collect.ts';

test('a snapshot becomes the metrics of the contract', async () => {
  const metrics = await collect(
    producerOf(() => snapshot([callSite(5), callSite(2, { hit: false })], { inexact: { long_key: 1 } })),
  );
  const expected = [...Object.values(SELF_METRICS), ...Object.values(MAP_METRICS)]
    .filter(({ only }) => only !== 'classic')
    .filter((contract) => contract !== SELF_METRICS.dropped && contract !== SELF_METRICS.unattributed)
    .map(({ name }) => name);
  assert.deepEqual(
    metricNames(metrics),
    expected,
    'in the order of the contract; what has no points is left out',
  );
  assert.deepEqual(
    metrics.scopeMetrics.map(({ scope }) => scope.name),
    ['mapscope.self', 'mapscope'],
    'instruments come before producers',
  );
  const data = metrics.scopeMetrics.flatMap((scope) => scope.metrics);
  assert.ok(data.every(({ descriptor }) => descriptor.unit !== '' && descriptor.description !== ''));
});

test('a histogram point has the kernel buckets, and times of the count', async () => {
  const metrics = await collect(producerOf(() => snapshot([callSite(5)])));
  const [point, ...others] = histogramPoints(metrics, 'gomap.lookup.probe_length');
  assert.equal(others.length, 0);
  assert.deepEqual(point?.attributes, {
    'gomap.type': 'map[string]int',
    'code.function.name': 'example.com/shop/cart.(*Store).Find',
    'code.file.path': '/src/shop/cart/store.go',
    'code.line.number': 42,
    'gomap.lookup.result': 'hit',
  });
  assert.equal(point?.value.count, 5);
  assert.equal(point?.value.sum, 1 + 2 + 3 + 1 + 2);
  assert.deepEqual(point?.value.buckets.counts.slice(0, 5), [0, 2, 2, 1, 0]);
  assert.equal(point?.value.buckets.counts.length, (point?.value.buckets.boundaries.length ?? 0) + 1);
  assert.equal(point?.value.min, undefined);
  assert.deepEqual(point?.startTime, [1_790_000_000, 0]);
  assert.deepEqual(point?.endTime, [1_790_000_001, 0]);
  assert.equal('exemplars' in (point ?? {}), false);
});

test('kinds and value types', async () => {
  const metrics = await collect(producerOf(() => snapshot([callSite(5)])));
  const lookups = metricOf(metrics, 'gomap.lookups');
  assert.equal(lookups?.dataPointType, DataPointType.SUM);
  assert.equal(lookups?.dataPointType === DataPointType.SUM && lookups.isMonotonic, true);
  assert.equal(lookups?.descriptor.valueType, ValueType.INT);
  assert.equal(lookups?.aggregationTemporality, AggregationTemporality.CUMULATIVE);
  assert.equal(metricOf(metrics, 'gomap.entries')?.dataPointType, DataPointType.GAUGE);
  assert.equal(metricOf(metrics, 'mapscope.attached.time')?.descriptor.valueType, ValueType.DOUBLE);
});

test('variants of the same line are one series, hits and misses two, gauges one', async () => {
  const metrics = await collect(
    producerOf(() =>
      snapshot([
        callSite(5, { variant: 'mapaccess1_faststr' }),
        callSite(7, {
          largestOfCycle: {
            seenAt: 1,
            entries: 9000,
            buckets: 1024,
            overflowBuckets: 0,
            tombstones: 0,
            directory: 0,
          },
        }),
        callSite(2, { hit: false }),
      ]),
    ),
  );
  assert.deepEqual(
    numbers(metrics, 'gomap.lookups').map(({ attributes, value }) => [
      attributes['gomap.lookup.result'],
      value,
    ]),
    [
      ['hit', 12],
      ['miss', 2],
    ],
  );
  assert.deepEqual(
    histogramPoints(metrics, 'gomap.lookup.load_factor').map(({ value }) => value.count),
    [12, 2],
  );
  const [entries, ...others] = numbers(metrics, 'gomap.entries');
  assert.equal(others.length, 0);
  assert.equal(entries?.value, 9000);
  assert.equal(entries?.attributes['gomap.lookup.result'], undefined);
});

test('classic maps have overflow buckets and growth, Swiss maps tombstones', async () => {
  const classic = metricNames(
    await collect(producerOf(() => snapshot([callSite(1)]), { mapImplementation: 'classic' })),
  );
  const swiss = metricNames(await collect(producerOf(() => snapshot([callSite(1)]))));
  const only = (a: string[], b: string[]): string[] => a.filter((name) => !b.includes(name));
  assert.deepEqual(only(classic, swiss), [
    'gomap.growing',
    'gomap.overflow_buckets',
    'gomap.latest.overflow_buckets',
  ]);
  assert.deepEqual(only(swiss, classic), [
    'gomap.tombstones',
    'gomap.directory',
    'gomap.latest.tombstones',
    'gomap.latest.directory',
  ]);
});

test('an unknown file or line is no attribute', async () => {
  const site = callSite(1, { callSite: { function: 'main.f', file: '?', line: 0 } });
  const metrics = await collect(producerOf(() => snapshot([site])));
  assert.deepEqual(Object.keys(numbers(metrics, 'gomap.lookups')[0]?.attributes ?? {}), [
    'gomap.type',
    'code.function.name',
    'gomap.lookup.result',
  ]);
});

test('without a snapshot there is nothing to send, and without lookups no scope for maps', async () => {
  assert.deepEqual((await collect(producerOf(() => undefined))).scopeMetrics, []);
  const empty = await collect(producerOf(() => snapshot([])));
  assert.deepEqual(
    empty.scopeMetrics.map(({ scope }) => scope.name),
    ['mapscope.self'],
  );
});

test('a source that fails costs this collection only', async () => {
  const sources: (() => Snapshot)[] = [
    () => {
      throw new Error('the map is gone');
    },
    () => snapshot([callSite(1)]),
  ];
  const producer = producerOf(() => sources.shift()?.());
  const failed = await producer.collect();
  assert.deepEqual(failed.resourceMetrics.scopeMetrics, []);
  assert.match(String(failed.errors[0]), /the map is gone/);
  assert.match(String(producer.lastProblem), /the map is gone/);
  assert.equal(numbers(await collect(producer), 'gomap.lookups')[0]?.value, 1);
  assert.equal(producer.lastProblem, undefined);
});

test('a source that hangs is given up in time, is not asked twice, and may still answer', async () => {
  let asked = 0;
  const { promise, resolve } = Promise.withResolvers<Snapshot>();
  const producer = producerOf(
    () => {
      asked++;
      return promise;
    },
    { deadlineMillis: 20 },
  );
  const failed = await producer.collect({ timeoutMillis: 10 });
  assert.match(String(failed.errors[0]), /within 10 ms/);
  assert.match(String((await producer.collect()).errors[0]), /within 20 ms/);
  assert.equal(asked, 1);
  resolve(snapshot([callSite(4)]));
  assert.equal(numbers(await collect(producer), 'gomap.lookups')[0]?.value, 4);
});

test('what is not kept apart is in the overflow series, by result', async () => {
  const others = { callSite: OTHERS, variant: OTHERS_NAME, type: OTHERS_NAME };
  const metrics = await collect(
    producerOf(() =>
      snapshot([callSite(5)], {
        others: [callSite(30, others), callSite(4, { ...others, hit: false })],
        otherSites: 17,
      }),
    ),
  );
  const overflow = { 'otel.metric.overflow': true };
  assert.deepEqual(
    numbers(metrics, 'gomap.lookups')
      .map(({ attributes, value }) => [attributes, value])
      .slice(1),
    [
      [{ 'gomap.lookup.result': 'hit', ...overflow }, 30],
      [{ 'gomap.lookup.result': 'miss', ...overflow }, 4],
    ],
  );
  assert.deepEqual(numbers(metrics, 'gomap.entries').at(-1)?.attributes, overflow);
  assert.equal(numbers(metrics, 'mapscope.series.overflowed')[0]?.value, 17);
});

test('what there was no room for is told by table', async () => {
  const fullTables = { call_sites: 0, exemplars: 7 };
  const metrics = await collect(producerOf(() => snapshot([callSite(5)], { fullTables })));
  assert.deepEqual(
    numbers(metrics, 'mapscope.table.full').map(({ attributes, value }) => [
      attributes['mapscope.table'],
      value,
    ]),
    [
      ['call_sites', 0],
      ['exemplars', 7],
    ],
  );
});

test('of no map there is no state', async () => {
  const metrics = await collect(producerOf(() => snapshot([callSite(5, { largestOfCycle: NO_MAP })])));
  assert.equal(metricOf(metrics, 'gomap.entries'), undefined);
  assert.equal(numbers(metrics, 'gomap.latest.entries')[0]?.value, 90);
});

test('a new start of the count begins everything anew', async () => {
  for (const temporality of [CUMULATIVE, DELTA]) {
    const again = { startTime: START + 5n * SECOND, time: START + 6n * SECOND };
    const snapshots = [snapshot([callSite(50)]), snapshot([callSite(3)], again)];
    let failed = 2;
    const producer = producerOf(() => snapshots.shift(), { temporality, failedExports: () => failed });
    producer.acknowledge(await collect(producer));
    failed = 3;
    const metrics = await collect(producer);
    const [point] = histogramPoints(metrics, 'gomap.lookup.probe_length');
    assert.equal(point?.value.count, 3);
    assert.deepEqual(point?.startTime, [1_790_000_005, 0]);
    assert.equal(sumOfNumbers(metrics, 'gomap.lookups.estimated'), 6);
    assert.equal(sumOfNumbers(metrics, 'mapscope.exports.failed'), 0, 'failures before it are not its own');
  }
});

test('every number of a call site gets into the metric that is named for it', async () => {
  const site = callSite(7, {
    growing: 5,
    largestOfCycle: {
      seenAt: 1,
      entries: 11,
      buckets: 22,
      overflowBuckets: 33,
      tombstones: 44,
      directory: 55,
    },
    latest: { seenAt: 1, entries: 1, buckets: 2, overflowBuckets: 3, tombstones: 4, directory: 5 },
  });
  const both = {
    ...(await valuesOf('classic')),
    ...(await valuesOf('swiss')),
  };
  assert.deepEqual(both, {
    'gomap.lookups': 7,
    'gomap.lookups.estimated': 14,
    'gomap.growing': 5,
    'gomap.entries': 11,
    'gomap.buckets': 22,
    'gomap.overflow_buckets': 33,
    'gomap.tombstones': 44,
    'gomap.directory': 55,
    'gomap.latest.entries': 1,
    'gomap.latest.buckets': 2,
    'gomap.latest.overflow_buckets': 3,
    'gomap.latest.tombstones': 4,
    'gomap.latest.directory': 5,
  });

  async function valuesOf(mapImplementation: 'classic' | 'swiss'): Promise<Record<string, number>> {
    const metrics = await collect(producerOf(() => snapshot([site]), { mapImplementation }));
    const names = metricNames(metrics).filter((name) => name.startsWith('gomap.'));
    return Object.fromEntries(
      names.flatMap((name) => numbers(metrics, name).map(({ value }) => [name, value] as const)),
    );
  }
});
