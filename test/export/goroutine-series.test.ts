import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { noCost, sumOfCosts } from '../../src/model/heavy/goroutines.ts';
import { HeaviestGoroutines } from '../../src/model/heavy/heaviest.ts';
import type { GoroutineCost, GoroutineCosts, LookupCost, Snapshot } from '../../src/model/snapshot.ts';
import { GoroutineSeriesChoice, type SeriesByGoroutine } from '../../src/otel/metrics/goroutine-series.ts';
import { callSite, SECOND, START, snapshot } from '../model/fixtures.ts';
import { goroutineCost, increase } from '../model/goroutines.ts';
import { collect, DELTA, histogramPoints, metricOf, numbers, producerOf } from './collect.ts';

const at = (second: number): bigint => START + BigInt(second) * SECOND;

function costs(kept: GoroutineCost[], other = noCost()): GoroutineCosts {
  return { kept, other, unattributed: {} };
}

const live = ({ series }: SeriesByGoroutine): number[] =>
  series.filter(({ ended }) => !ended).map(({ goroutine }) => goroutine);

/** Whether nothing in `now` is less than it was in `before`. */
function neverFalls(before: LookupCost, now: LookupCost): boolean {
  const counts = ({ probeLength, keyComparisons, hits }: LookupCost) => [
    ...probeLength.counts,
    probeLength.sum,
    ...keyComparisons.counts,
    keyComparisons.sum,
    hits,
  ];
  const least = counts(before);
  return counts(now).every((count, i) => count >= (least[i] ?? 0) && count >= 0);
}

test('every lookup is counted once, no series falls, and there are never more than allowed', () => {
  const reads = fc.array(
    fc.uniqueArray(
      fc.record({
        goroutine: fc.integer({ min: 1, max: 25 }),
        lookups: fc.integer({ min: 1, max: 200 }),
        probes: fc.integer({ min: 1, max: 30 }),
      }),
      { selector: ({ goroutine }) => goroutine, maxLength: 12 },
    ),
    { maxLength: 25 },
  );
  const limits = fc.record({
    room: fc.integer({ min: 1, max: 10 }),
    most: fc.integer({ min: 1, max: 4 }),
    ever: fc.integer({ min: 1, max: 8 }),
  });
  fc.assert(
    fc.property(reads, limits, (all, { room, most, ever }) => {
      const heaviest = new HeaviestGoroutines(room);
      const choice = new GoroutineSeriesChoice(most, START, ever);
      const truth = new Map<number, number>();
      let before: SeriesByGoroutine | undefined;
      all.forEach((read, i) => {
        for (const { goroutine, lookups } of read) {
          truth.set(goroutine, (truth.get(goroutine) ?? 0) + lookups);
        }
        heaviest.add(read.map(({ goroutine, lookups, probes }) => increase(goroutine, lookups, probes)));
        const { kept, other } = heaviest.costs;
        const now = choice.update(heaviest.costs, at(i + 1));

        assert.ok(live(now).length <= most && now.series.length <= ever);
        const whole = sumOfCosts([...now.series.map(({ cost }) => cost), now.other]);
        // The largest value is not kept apart by series.
        const { probeLength, keyComparisons, ...rest } = sumOfCosts([...kept, other]);
        assert.deepEqual([whole.lookups, whole.hits], [rest.lookups, rest.hits]);
        assert.deepEqual(whole.probeLength.counts, probeLength.counts);
        assert.equal(whole.probeLength.sum, probeLength.sum);
        assert.deepEqual(whole.keyComparisons.counts, keyComparisons.counts);
        assert.ok(neverFalls(before?.other ?? noCost(), now.other), 'other');
        for (const { goroutine, cost, since } of now.series) {
          const earlier = before?.series.find((one) => one.goroutine === goroutine);
          assert.ok(neverFalls(earlier?.cost ?? noCost(), cost), `goroutine ${goroutine}`);
          assert.equal(since, earlier?.since ?? at(i));
          assert.ok(cost.lookups <= (truth.get(goroutine) ?? 0));
        }
        before = now;
      });
    }),
    { numRuns: 1000 },
  );
});

test('the heaviest of the beginning get series with all that they have done', () => {
  const choice = new GoroutineSeriesChoice(2, START);
  const now = choice.update(costs([goroutineCost(1, 10), goroutineCost(2, 30), goroutineCost(3, 20)]), at(1));
  assert.deepEqual(
    now.series.map(({ goroutine, parentGoroutine, since, cost, ended }) => [
      goroutine,
      parentGoroutine,
      since,
      cost.lookups,
      ended,
    ]),
    [
      [2, 1, START, 30, false],
      [3, 1, START, 20, false],
    ],
  );
  assert.equal(now.other.lookups, 10);
});

test('a series stays while its goroutine is about as heavy as others', () => {
  const choice = new GoroutineSeriesChoice(2, START);
  choice.update(costs([1, 2, 3, 4].map((id) => goroutineCost(id, 100 - id))), at(1));
  const now = choice.update(costs([1, 2, 3, 4].map((id) => goroutineCost(id, 200 + 10 * id))), at(2));
  assert.deepEqual(live(now), [1, 2], '3 and 4 made more of late, but not so much more');
});

test('a series ends when others are much heavier, and goes on when its goroutine is heavy again', () => {
  const choice = new GoroutineSeriesChoice(1, START);
  const update = (second: number, ...lookups: number[]) =>
    choice.update(costs(lookups.map((n, i) => goroutineCost(i + 1, n))), at(second));
  const counted = ({ series }: SeriesByGoroutine) => series.map((one) => [one.since, one.cost.lookups]);
  update(1, 50, 10, 5);
  let now = update(2, 60, 100, 90);
  assert.deepEqual(live(now), [2], 'the first one has fallen to the third rank');
  assert.deepEqual(counted(now), [
    [START, 50],
    [at(1), 90],
  ]);
  assert.equal(now.other.lookups, 10 + 10 + 90, 'with what both did while they had no series');
  now = update(3, 1000, 100, 500);
  assert.deepEqual(live(now), [1]);
  assert.deepEqual(counted(now), [
    [START, 990],
    [at(1), 90],
  ]);
});

test('goroutines that live for one request get no series once others have', () => {
  const choice = new GoroutineSeriesChoice(3, START);
  choice.update(costs([goroutineCost(1, 10)]), at(1));
  for (let i = 2; i < 50; i++) {
    const now = choice.update(costs([goroutineCost(1, 10 * i), goroutineCost(100 + i, 1000)]), at(i));
    assert.deepEqual(live(now), [1]);
  }
});

test('beyond the limit of all times goroutines are refused, and counted', () => {
  const choice = new GoroutineSeriesChoice(2, START, 2);
  choice.update(costs([goroutineCost(1, 10), goroutineCost(2, 10)]), at(1));
  for (let i = 2; i < 8; i++) {
    choice.update(costs([goroutineCost(3, 100 * i), goroutineCost(4, 100 * i)]), at(i));
  }
  const now = choice.update(costs([goroutineCost(3, 1000), goroutineCost(4, 1000)]), at(8));
  assert.deepEqual(live(now), []);
  assert.equal(now.refused, 2);
});

const PROBES = 'gomap.goroutine.lookup.probe_length';

function state(second: number, kept: GoroutineCost[], unattributed = {}): Snapshot {
  return snapshot([callSite(1)], { time: at(second), goroutines: { ...costs(kept), unattributed } });
}

test('cumulative: points say since when, and those of goroutines that have ended are left out', async () => {
  const states = [
    state(1, [goroutineCost(1, 50), goroutineCost(2, 10), goroutineCost(3, 5)]),
    state(2, [goroutineCost(1, 50), goroutineCost(2, 100), goroutineCost(3, 90)], { no_room: 7 }),
  ];
  const producer = producerOf(() => states.shift(), { perGoroutine: 1 });
  const first = histogramPoints(await collect(producer), PROBES);
  assert.deepEqual(
    first.map(({ attributes, startTime, value }) => [attributes, startTime, value.count]),
    [
      [{ 'gomap.goroutine.id': 1, 'gomap.goroutine.parent_id': 1 }, [1_790_000_000, 0], 50],
      [{ 'otel.metric.overflow': true }, [1_790_000_000, 0], 15],
    ],
  );
  const metrics = await collect(producer);
  assert.deepEqual(
    histogramPoints(metrics, PROBES).map(({ attributes, startTime, value }) => [
      attributes['gomap.goroutine.id'],
      startTime,
      value.count,
    ]),
    [
      [2, [1_790_000_001, 0], 90],
      [undefined, [1_790_000_000, 0], 100],
    ],
  );
  const comparisons = histogramPoints(metrics, 'gomap.goroutine.lookup.key_comparisons');
  assert.deepEqual(
    comparisons.map(({ value }) => value.buckets.counts[0]),
    [90, 100],
  );
  assert.deepEqual(numbers(metrics, 'mapscope.lookups.unattributed'), [
    { attributes: { 'mapscope.reason': 'no_room' }, value: 7 },
  ]);
});

test('delta: what was delivered adds up to everything, also when exports fail and series end', async () => {
  const steps = fc.array(
    fc.record({
      delivered: fc.boolean(),
      increases: fc.dictionary(
        fc.constantFrom('1', '2', '3', '4', '5', '6'),
        fc.integer({ min: 1, max: 100 }),
      ),
    }),
    { minLength: 1, maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const heaviest = new HeaviestGoroutines(4);
      let second = 0;
      const producer = producerOf(
        () => snapshot([callSite(1)], { time: at(second), goroutines: heaviest.costs }),
        { perGoroutine: 2, temporality: DELTA },
      );
      const ends = new Map<string, readonly number[]>();
      let received = 0;
      let made = 0;
      // The last export arrives.
      for (const { delivered, increases } of [...all, { delivered: true, increases: {} }]) {
        second++;
        const added = Object.entries(increases).map(([id, lookups]) => increase(Number(id), lookups));
        heaviest.add(added);
        made += added.reduce((sum, { lookups }) => sum + lookups, 0);
        const metrics = await collect(producer);
        if (!delivered) {
          continue;
        }
        producer.acknowledge(metrics);
        for (const { attributes, startTime, endTime, value } of histogramPoints(metrics, PROBES)) {
          received += value.count;
          assert.ok(value.buckets.counts.every((count) => count >= 0));
          const key = JSON.stringify(attributes);
          assert.ok(startTime[0] >= (ends.get(key)?.[0] ?? 0), 'intervals of a series do not overlap');
          ends.set(key, endTime);
        }
      }
      assert.equal(received, made);
    }),
    { numRuns: 300 },
  );
});

test('without the option there are no such metrics', async () => {
  const metrics = await collect(producerOf(() => state(1, [goroutineCost(1, 50)])));
  assert.equal(metricOf(metrics, PROBES), undefined);
});

test('where lookups are not counted by goroutine there are no such metrics', async () => {
  const metrics = await collect(producerOf(() => snapshot([callSite(1)]), { perGoroutine: 5 }));
  assert.equal(metricOf(metrics, PROBES), undefined);
});

test('exponential histograms, where they are asked for', async () => {
  const producer = producerOf(() => state(1, [goroutineCost(1, 50)]), {
    perGoroutine: 5,
    histogramAggregation: 'exponential',
  });
  const [point] = metricOf(await collect(producer), PROBES)?.dataPoints ?? [];
  assert.ok(typeof point?.value === 'object' && 'scale' in point.value);
  assert.equal(point.value.count, 50);
});
