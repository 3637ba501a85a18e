import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bucketOf, COUNT_BOUNDS } from '../../src/model/buckets.ts';
import type { ExemplarCandidate } from '../../src/model/candidate.ts';
import { MAP_METRICS } from '../../src/otel/contract/metrics.ts';
import { type ExemplarPoint, ExemplarReservoir } from '../../src/otel/exemplars/reservoir.ts';
import { SECOND, START } from '../model/fixtures.ts';
import { briefly, candidate, KEY_COMPARISONS, PROBE_LENGTH, traceId, untraced } from './candidates.ts';

const INTERVAL = { start: START, end: START + SECOND };
const SNAPSHOT = { startTime: START, time: START + SECOND };
/** Every bucket has a count. */
const FULL = COUNT_BOUNDS.concat(Number.POSITIVE_INFINITY).map(() => 1);
const POINT: ExemplarPoint = { interval: INTERVAL, attributes: {}, counts: FULL, order: 'bucket' };

/** A reservoir that has been offered candidates, and has placed them all in the series "s". */
function placed(
  candidates: ExemplarCandidate[],
  ...options: ConstructorParameters<typeof ExemplarReservoir>
) {
  const reservoir = new ExemplarReservoir(...options);
  reservoir.offer(candidates);
  reservoir.place(SNAPSHOT, () => 's');
  return reservoir;
}

function chosen(reservoir: ExemplarReservoir, metric = PROBE_LENGTH, point = POINT) {
  return briefly(reservoir.choose(metric, 's', point)?.exemplars ?? []);
}

test('one exemplar per bucket, ascending by value', () => {
  const reservoir = placed([
    candidate({ probeLength: 30, keyComparisons: 0 }),
    candidate({ probeLength: 1, keyComparisons: 5 }),
    candidate({ probeLength: 26, keyComparisons: 5 }),
    candidate({ probeLength: 4000, keyComparisons: 2 }),
    candidate({ probeLength: 2, keyComparisons: 1 }),
  ]);
  assert.deepEqual(chosen(reservoir), [
    [1, 1],
    [2, 1],
    [26, 1],
    [4000, 1],
  ]);
  assert.deepEqual(
    chosen(reservoir, KEY_COMPARISONS).map(([value]) => value),
    [0, 1, 2, 5],
  );
});

test('for a point of exponential buckets: in the order of their times, equal ones by value', () => {
  const at = (nanos: bigint) => ({ time: START + nanos });
  const reservoir = placed([
    candidate({ probeLength: 30, ...at(10n) }),
    candidate({ probeLength: 1, ...at(40n) }),
    candidate({ probeLength: 3, ...at(20n) }),
    candidate({ probeLength: 2, ...at(20n) }),
  ]);
  const values = (order: ExemplarPoint['order']) =>
    chosen(reservoir, PROBE_LENGTH, { ...POINT, order }).map(([value]) => value);
  assert.deepEqual(values('time'), [30, 2, 3, 1]);
  assert.deepEqual(values('bucket'), [1, 2, 3, 30]);
});

test('sampled spans first, then spans of which that is not known, then the newest', () => {
  const at = (nanos: bigint) => ({ time: START + nanos });
  const { sampled: _sampled, ...unknown } = candidate({ traceId: traceId(4), ...at(40n) });
  const ranked = [
    candidate({ traceId: traceId(2), sampled: true, ...at(20n) }),
    candidate({ traceId: traceId(1), sampled: true, ...at(10n) }),
    unknown,
    candidate({ traceId: traceId(5), sampled: false, ...at(50n) }),
    untraced(at(3n)),
  ];
  for (let best = 0; best < ranked.length; best++) {
    const expected = briefly([...placedOne(ranked[best])])[0]?.[1];
    for (const order of [ranked.slice(best), ranked.slice(best).reverse()]) {
      assert.deepEqual(chosen(placed(order, 'always_on')), [[2, expected]]);
    }
  }

  function placedOne(one: ExemplarCandidate | undefined) {
    assert.ok(one !== undefined);
    return placed([one], 'always_on').choose(PROBE_LENGTH, 's', POINT)?.exemplars ?? [];
  }
});

test('the filter: trace_based wants a trace that is kept, always_on takes all, always_off none', () => {
  const { sampled: _sampled, ...unknown } = candidate({ probeLength: 3 });
  const all = [
    candidate({ probeLength: 1 }),
    candidate({ probeLength: 2, sampled: false }),
    unknown,
    untraced({ probeLength: 4 }),
    candidate({ probeLength: 5, traceId: '0'.repeat(32) }),
  ];
  const values = (filter: 'trace_based' | 'always_on' | 'always_off') =>
    chosen(placed(all, filter)).map(([value]) => value);
  assert.deepEqual(values('trace_based'), [1, 3]);
  assert.deepEqual(values('always_on'), [1, 2, 3, 4, 5]);
  assert.deepEqual(values('always_off'), []);
  const [, , , , invalid] = placed(all, 'always_on').choose(PROBE_LENGTH, 's', POINT)?.exemplars ?? [];
  assert.equal(invalid?.traceId, undefined);
  assert.equal(invalid?.spanId, undefined, 'a span id without a trace id leads nowhere');
});

test('a candidate waits for the snapshot that counts it, and for a count in its bucket', () => {
  const reservoir = placed([candidate({ time: SNAPSHOT.time + 1n }), candidate({ probeLength: 7 })]);
  const none = FULL.with(bucketOf(COUNT_BOUNDS, 7), 0);
  assert.deepEqual(chosen(reservoir, PROBE_LENGTH, { ...POINT, counts: none }), []);
  reservoir.place({ ...SNAPSHOT, time: SNAPSHOT.time + SECOND }, () => 's');
  assert.deepEqual(
    chosen(reservoir).map(([value]) => value),
    [2, 7],
  );
});

test('a candidate from before the count, or told by an earlier point, is no exemplar', () => {
  const old = candidate({ time: START - 1n });
  assert.deepEqual(chosen(placed([old])), []);
  assert.deepEqual(chosen(placed([old, untraced()], 'always_on')), [[2, undefined]], 'nor does it win');
  const reservoir = placed([candidate()]);
  const later = { ...POINT, interval: { start: START + SECOND / 2n, end: START + 2n * SECOND } };
  assert.deepEqual(chosen(reservoir, PROBE_LENGTH, later), []);
  assert.deepEqual(chosen(reservoir, PROBE_LENGTH, POINT), [], 'it is gone for good');
});

test('an exemplar stays until it is delivered, and only what was delivered goes', () => {
  const reservoir = placed([candidate(), candidate({ probeLength: 5 })]);
  assert.equal(chosen(reservoir).length, 2);
  const sent = reservoir.choose(PROBE_LENGTH, 's', POINT);
  reservoir.offer([candidate({ traceId: traceId(2), time: START + SECOND - 1n })]);
  reservoir.place(SNAPSHOT, () => 's');
  sent?.delivered();
  assert.deepEqual(chosen(reservoir), [[2, 2]], 'the better one that came meanwhile');
  assert.equal(chosen(reservoir, KEY_COMPARISONS).length, 1, 'the other metric was not delivered');
  sent?.delivered();
  assert.equal(chosen(reservoir).length, 1, 'twice makes no difference');
});

test('a new count begins without the exemplars of the old one', () => {
  const reservoir = placed([candidate()], 'trace_based', 4);
  const underWay = reservoir.choose(PROBE_LENGTH, 's', POINT);
  reservoir.restart();
  assert.deepEqual(chosen(reservoir), []);
  reservoir.offer([1, 2, 3].map((probeLength) => candidate({ probeLength })));
  reservoir.place(SNAPSHOT, () => 's');
  underWay?.delivered();
  assert.deepEqual(
    chosen(reservoir).map(([value]) => value),
    [1, 2, 3],
  );
  assert.deepEqual(reservoir.dropped, { limit: 0, no_series: 0 });
});

test('memory is bounded, and what is dropped is counted', () => {
  const reservoir = placed(
    Array.from({ length: 20 }, (_, probeLength) => candidate({ probeLength, keyComparisons: probeLength })),
    'trace_based',
    10,
  );
  const kept = () => chosen(reservoir).length + chosen(reservoir, KEY_COMPARISONS).length;
  assert.equal(kept(), 10);
  assert.equal(reservoir.dropped.limit, 30, 'five values of two metrics had room');
  reservoir.offer([candidate({ probeLength: 0, keyComparisons: 0, traceId: traceId(9) })]);
  reservoir.place(SNAPSHOT, () => 's');
  assert.equal(chosen(reservoir)[0]?.[1], 9, 'a better one for a bucket in use needs no room');
  assert.equal(reservoir.dropped.limit, 30);
  reservoir.choose(PROBE_LENGTH, 's', POINT)?.delivered();
  reservoir.choose(KEY_COMPARISONS, 's', POINT)?.delivered();
  reservoir.offer([candidate()]);
  reservoir.place(SNAPSHOT, () => 's');
  assert.equal(kept(), 2, 'delivery makes room');
});

test('candidates that wait for a snapshot are bounded, too: the newest stay', () => {
  const reservoir = new ExemplarReservoir('trace_based', 3);
  for (const probeLength of [1, 2, 3, 4, 5, 6]) {
    reservoir.offer([candidate({ probeLength })]);
  }
  assert.equal(reservoir.dropped.limit, 2);
  reservoir.place(SNAPSHOT, () => 's');
  assert.ok(!chosen(reservoir).some(([value]) => value <= 2));
});

test('a lookup that is in no series is counted as dropped', () => {
  const reservoir = new ExemplarReservoir();
  reservoir.offer([candidate()]);
  reservoir.place(SNAPSHOT, () => undefined);
  assert.deepEqual(reservoir.dropped, { limit: 0, no_series: 1 });
});

test('filtered attributes: the goroutines, nothing that the point says, at most 65 characters', () => {
  const attributes = (overrides: Partial<ExemplarCandidate>, pointAttributes = {}) =>
    placed([candidate(overrides)]).choose(PROBE_LENGTH, 's', { ...POINT, attributes: pointAttributes })
      ?.exemplars[0]?.filteredAttributes;
  assert.deepEqual(attributes({}), { 'gomap.goroutine.id': 991, 'gomap.goroutine.parent_id': 17 });
  assert.deepEqual(attributes({}, { 'gomap.goroutine.id': 991 }), { 'gomap.goroutine.parent_id': 17 });
  assert.deepEqual(attributes({ goroutine: 0, parentGoroutine: 0 }), {});
  const most = { goroutine: 12_345_678_901, parentGoroutine: 12_345_678_902 };
  assert.equal(Object.keys(attributes(most) ?? {}).length, 2, '65 characters');
  assert.deepEqual(
    attributes({ ...most, parentGoroutine: 123_456_789_012 }),
    { 'gomap.goroutine.id': most.goroutine },
    'one more',
  );
});

test('whatever comes: valid exemplars, one per bucket, the best of it, sorted, not more than the limit', () => {
  const some = fc.record({
    probeLength: fc.integer({ min: 1, max: 2000 }),
    keyComparisons: fc.nat(40),
    time: fc.bigInt(START - 5n, START + SECOND + 5n),
    sampled: fc.boolean(),
    number: fc.nat(15),
  });
  fc.assert(
    fc.property(fc.array(some, { maxLength: 60 }), fc.integer({ min: 1, max: 30 }), (list, limit) => {
      const candidates = list.map(({ number, ...rest }) => candidate({ ...rest, traceId: traceId(number) }));
      const reservoir = placed(candidates, 'always_on', limit);
      let kept = 0;
      for (const { name, bounds = [] } of [MAP_METRICS.probeLength, MAP_METRICS.keyComparisons]) {
        const exemplars = reservoir.choose(name, 's', POINT)?.exemplars ?? [];
        kept += exemplars.length;
        const buckets = exemplars.map(({ value }) => bucketOf(bounds, value));
        assert.deepEqual(
          buckets,
          [...new Set(buckets)].sort((a, b) => a - b),
        );
        for (const { value, timestamp } of exemplars) {
          const time = BigInt(timestamp[0]) * SECOND + BigInt(timestamp[1]);
          const measured = name === PROBE_LENGTH ? 'probeLength' : 'keyComparisons';
          const rivals = list.filter(
            (one) =>
              bucketOf(bounds, one[measured]) === bucketOf(bounds, value) &&
              one.time >= START &&
              one.time <= START + SECOND,
          );
          const best = rivals.some(({ sampled }) => sampled) ? rivals.filter((one) => one.sampled) : rivals;
          assert.ok(best.every((one) => one.time <= time));
          assert.ok(best.some((one) => one.time === time && one[measured] === value));
        }
      }
      assert.ok(kept <= limit);
    }),
    { numRuns: 300 },
  );
});
