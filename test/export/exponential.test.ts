import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AggregationTemporality,
  AggregationType,
  DataPointType,
  type ExponentialHistogram,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import fc from 'fast-check';
import { COUNT_BOUNDS, mergeDistributions } from '../../src/model/buckets.ts';
import { exponentialValue, indexOf, SCALE } from '../../src/otel/metrics/exponential.ts';
import { callSite, distributionOf } from '../model/fixtures.ts';
import {
  briefly,
  candidate,
  exemplarsOf,
  KEY_COMPARISONS,
  observing,
  PROBE_LENGTH,
  traceId,
} from './candidates.ts';
import { CUMULATIVE, DELTA, metricOf } from './collect.ts';

/** Counts by index, without empty ones; the zero count under "zero". */
function counts({ zeroCount, positive }: ExponentialHistogram): Record<string, number> {
  const entries = positive.bucketCounts.map(
    (count, place) => [String(positive.offset + place), count] as const,
  );
  return Object.fromEntries([['zero', zeroCount] as const, ...entries].filter(([, count]) => count > 0));
}

const of = (values: readonly number[]) => exponentialValue(distributionOf(COUNT_BOUNDS, values));

const values = fc.array(fc.oneof(fc.nat(10), fc.nat(100), fc.nat(3000)), { maxLength: 50 });

test('an index is that of the bucket that holds the value, in whole numbers', () => {
  for (let value = 1; value <= 2 ** 20; value++) {
    // (2^(i/8), 2^((i+1)/8)] holds v exactly when 2^i < v^8 <= 2^(i+1).
    const power = BigInt(value) ** 8n;
    const index = indexOf(value);
    const above = index < 0 ? power === 1n : power > 1n << BigInt(index);
    assert.ok(above && power <= 1n << BigInt(index + 1), String(value));
  }
});

test('each bound has a bucket of its own, and scale 3 is the smallest scale for that', () => {
  const uppers = [...COUNT_BOUNDS.slice(1), 1025];
  assert.equal(new Set(uppers.map(indexOf)).size, uppers.length);
  assert.equal(SCALE, 3);
  const coarser = uppers.map((upper) => Math.ceil(Math.log2(upper) * 4));
  assert.ok(new Set(coarser).size < uppers.length);
});

test('zero is the zero count, and values up to 8 are exactly where the SDK puts them', async () => {
  const small = [0, 0, 1, 2, 3, 4, 5, 5, 6, 7, 8];
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter });
  const provider = new MeterProvider({
    readers: [reader],
    // The SDK takes the finest scale that fits: 1 to 8 take 25 buckets at scale 3.
    views: [
      {
        instrumentName: 'h',
        aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM, options: { maxSize: 25 } },
      },
    ],
  });
  const histogram = provider.getMeter('m').createHistogram('h');
  for (const value of small) {
    histogram.record(value);
  }
  await provider.forceFlush();
  const data = exporter.getMetrics()[0]?.scopeMetrics[0]?.metrics[0];
  await provider.shutdown();
  assert.ok(data?.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM);
  const theirs = data.dataPoints[0]?.value;
  assert.ok(theirs !== undefined);
  assert.equal(theirs.scale, SCALE);
  const ours = of(small);
  assert.deepEqual(counts(ours), counts(theirs));
  assert.deepEqual([ours.count, ours.sum, ours.zeroCount], [theirs.count, theirs.sum, 2]);
});

test('count and sum are exact, and so is the number of values up to each bound', () => {
  fc.assert(
    fc.property(values, (some) => {
      const made = of(some);
      assert.equal(made.count, some.length);
      assert.equal(
        made.sum,
        some.reduce((sum, value) => sum + value, 0),
      );
      const byIndex = counts(made);
      for (const bound of COUNT_BOUNDS) {
        const upTo = Object.entries(byIndex)
          .filter(([index]) => index === 'zero' || (bound > 0 && Number(index) <= indexOf(bound)))
          .reduce((sum, [, count]) => sum + count, 0);
        assert.equal(upTo, some.filter((value) => value <= bound).length);
      }
    }),
  );
});

test('a value appears too large by no more than is documented, above the last bound too small', () => {
  const factors = [
    [8, 1],
    [12, 1.12],
    [32, 1.29],
    [256, 1.49],
    [1024, 2],
  ] as const;
  for (let value = 1; value <= 1100; value++) {
    const [index] = Object.keys(counts(of([value]))).map(Number);
    assert.ok(index !== undefined);
    const [lower, upper] = [2 ** (index / 8), 2 ** ((index + 1) / 8)];
    const factor = factors.find(([most]) => value <= most)?.[1];
    if (factor === undefined) {
      assert.equal(index, indexOf(1025));
    } else {
      assert.ok(upper >= value * (1 - 1e-12));
      assert.ok(lower < value * factor, `${value} appears as more than ${lower}`);
    }
  }
});

test('counts of a bucket never fall, and parts add up', () => {
  fc.assert(
    fc.property(values, values, (before, more) => {
      const [first, added] = [before, more].map((some) => distributionOf(COUNT_BOUNDS, some));
      assert.ok(first !== undefined && added !== undefined);
      const sum = counts(exponentialValue(mergeDistributions(first, added)));
      const [a, b] = [counts(exponentialValue(first)), counts(exponentialValue(added))];
      for (const index of new Set([...Object.keys(sum), ...Object.keys(a), ...Object.keys(b)])) {
        assert.equal(sum[index] ?? 0, (a[index] ?? 0) + (b[index] ?? 0));
      }
    }),
  );
});

test('nothing counted, nothing sent but zeros', () => {
  assert.deepEqual(of([]), {
    count: 0,
    sum: 0,
    scale: 3,
    zeroCount: 0,
    positive: { offset: 0, bucketCounts: [] },
    negative: { offset: 0, bucketCounts: [] },
  });
});

test('exponential histograms: counts only, with the same exemplars, in both temporalities', async () => {
  for (const temporality of [CUMULATIVE, DELTA]) {
    const { producer, next } = observing(
      [[callSite(30)], [callSite(33)]],
      // The slower one is the older one.
      [[candidate(), candidate({ probeLength: 3, traceId: traceId(3), time: candidate().time - 1n })]],
      { temporality, histogramAggregation: 'exponential' },
    );
    const first = await next();
    const probeLength = metricOf(first, PROBE_LENGTH);
    assert.ok(probeLength?.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM);
    const [point] = probeLength.dataPoints;
    assert.deepEqual(point?.value, {
      count: 30,
      sum: 60,
      scale: 3,
      zeroCount: 0,
      // 1, 2 and 3, ten times each.
      positive: { offset: -1, bucketCounts: [10, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 10] },
      negative: { offset: 0, bucketCounts: [] },
    });
    assert.deepEqual(briefly(exemplarsOf(first, PROBE_LENGTH)), [
      [3, 3],
      [2, 1],
    ]);
    assert.equal(metricOf(first, KEY_COMPARISONS)?.dataPointType, DataPointType.EXPONENTIAL_HISTOGRAM);
    assert.equal(metricOf(first, 'gomap.lookup.load_factor')?.dataPointType, DataPointType.HISTOGRAM);
    producer.acknowledge(first);
    const second = metricOf(await next(), PROBE_LENGTH);
    assert.ok(second?.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM);
    assert.equal(second.dataPoints[0]?.value.count, temporality === DELTA ? 3 : 33);
    assert.equal('exemplars' in (second.dataPoints[0] ?? {}), false);
  }
});
