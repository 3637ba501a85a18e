import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExemplarCandidate } from '../../src/model/candidate.ts';
import { OTHERS, OTHERS_NAME } from '../../src/model/position.ts';
import { callSite, SECOND, START, snapshot } from '../model/fixtures.ts';
import {
  briefly,
  candidate,
  candidatesOf,
  exemplarsOf,
  KEY_COMPARISONS,
  observing,
  PROBE_LENGTH,
  spanId,
  traceId,
} from './candidates.ts';
import { CUMULATIVE, collect, DELTA, histogramPoints, numbers, producerOf, sumOfNumbers } from './collect.ts';

const BOTH = [CUMULATIVE, DELTA];

test('a candidate becomes an exemplar of its series, on both metrics', async () => {
  for (const temporality of BOTH) {
    const miss = candidate({ hit: false, traceId: traceId(2), spanId: spanId(2), time: START + 5n });
    const { next } = observing(
      [[callSite(30), callSite(6, { hit: false })]],
      [[candidate({ probeLength: 3 }), miss, candidate({ type: 'map[int]int' })]],
      { temporality },
    );
    const metrics = await next();
    const points = histogramPoints(metrics, PROBE_LENGTH);
    assert.deepEqual(
      points.map(({ attributes, exemplars }) => [attributes['gomap.lookup.result'], exemplars]),
      [
        [
          'hit',
          [
            {
              value: 3,
              timestamp: [1_790_000_000, 500_000_000],
              filteredAttributes: { 'gomap.goroutine.id': 991, 'gomap.goroutine.parent_id': 17 },
              traceId: traceId(1),
              spanId: spanId(1),
            },
          ],
        ],
        [
          'miss',
          [
            {
              value: 2,
              timestamp: [1_790_000_000, 5],
              filteredAttributes: { 'gomap.goroutine.id': 991, 'gomap.goroutine.parent_id': 17 },
              traceId: traceId(2),
              spanId: spanId(2),
            },
          ],
        ],
      ],
    );
    assert.deepEqual(briefly(exemplarsOf(metrics, KEY_COMPARISONS)), [
      [1, 1],
      [1, 2],
    ]);
    const elsewhere = metrics.scopeMetrics
      .flatMap((scope) => scope.metrics)
      .filter(({ descriptor }) => ![PROBE_LENGTH, KEY_COMPARISONS].includes(descriptor.name));
    assert.ok(elsewhere.every(({ dataPoints }) => dataPoints.every((point) => !('exemplars' in point))));
    const dropped = numbers(metrics, 'mapscope.exemplars.dropped').filter(({ value }) => value > 0);
    assert.deepEqual(dropped, [{ attributes: { 'mapscope.reason': 'no_series' }, value: 1 }]);
  }
});

test('an exemplar is sent until a receiver has it, then no more', async () => {
  for (const temporality of BOTH) {
    const { producer, next } = observing(
      [[callSite(5)], [callSite(8)], [callSite(11)], [callSite(14)]],
      [[candidate()], [], [candidate({ time: START + 2n * SECOND + 1n, traceId: traceId(2) })]],
      { temporality },
    );
    assert.deepEqual(briefly(exemplarsOf(await next(), PROBE_LENGTH)), [[2, 1]]);
    const second = await next();
    assert.deepEqual(briefly(exemplarsOf(second, PROBE_LENGTH)), [[2, 1]], 'the first was not acknowledged');
    producer.acknowledge(second);
    const third = await next();
    assert.deepEqual(briefly(exemplarsOf(third, PROBE_LENGTH)), [[2, 2]]);
    producer.acknowledge(third);
    assert.deepEqual(exemplarsOf(await next(), PROBE_LENGTH), []);
  }
});

test('a candidate newer than the snapshot waits for the next one', async () => {
  for (const temporality of BOTH) {
    const { producer, next } = observing(
      [[callSite(5)], [callSite(8)]],
      [[candidate({ time: START + SECOND + 1n })]],
      { temporality },
    );
    const first = await next();
    assert.deepEqual(exemplarsOf(first, PROBE_LENGTH), []);
    producer.acknowledge(first);
    assert.deepEqual(briefly(exemplarsOf(await next(), PROBE_LENGTH)), [[2, 1]]);
  }
});

test('a delta point has no exemplar of the time before it, nor for a bucket that it does not count', async () => {
  const late = candidate({ time: START + 1n });
  const uncounted = candidate({ probeLength: 9, time: START + SECOND + 1n });
  const { producer, next } = observing([[callSite(6)], [callSite(9)]], [[], [late, uncounted]], {
    temporality: DELTA,
  });
  producer.acknowledge(await next());
  assert.deepEqual(exemplarsOf(await next(), PROBE_LENGTH), []);
});

test('a point that was not delivered leaves its candidates in the interval of the next delta', async () => {
  const { producer, next } = observing(
    [[callSite(6)], [callSite(9)], [callSite(12)]],
    [[], [candidate({ time: START + SECOND + 1n })]],
    { temporality: DELTA },
  );
  producer.acknowledge(await next());
  await next();
  const third = await next();
  const [point] = histogramPoints(third, PROBE_LENGTH);
  assert.deepEqual(point?.startTime, [1_790_000_001, 0]);
  assert.deepEqual(briefly(point?.exemplars ?? []), [[2, 1]]);
});

test('exemplars of lookups that are not kept apart go where these are counted', async () => {
  const at = (line: number) => ({ callSite: { function: 'main.f', file: 'f.go', line } });
  const { next } = observing(
    [[callSite(30, at(1)), callSite(20, at(2))]],
    [
      [
        candidate({ ...at(1), traceId: traceId(1) }),
        candidate({ ...at(3), traceId: traceId(3), probeLength: 1 }),
        candidate({ ...at(4), traceId: traceId(4), probeLength: 3 }),
        candidate({ ...at(5), traceId: traceId(5), probeLength: 2, hit: false }),
      ],
    ],
    {},
    { others: [callSite(19, { callSite: OTHERS, type: OTHERS_NAME })] },
  );
  const points = histogramPoints(await next(), PROBE_LENGTH);
  assert.deepEqual(
    points.map(({ attributes, exemplars = [] }) => [attributes['code.line.number'], briefly(exemplars)]),
    [
      [1, [[2, 1]]],
      [2, []],
      [
        undefined,
        [
          [1, 3],
          [3, 4],
        ],
      ],
    ],
    'no miss was ever counted',
  );
});

test('a new start of the count forgets exemplars of the old one', async () => {
  for (const temporality of BOTH) {
    const again = { startTime: START + 5n * SECOND, time: START + 6n * SECOND };
    const snapshots = [snapshot([callSite(50)]), snapshot([callSite(30)], again)];
    const nowhere = candidate({ type: 'map[int]int' });
    const lists = [[candidate({ probeLength: 3 }), nowhere], [candidate({ time: START + 4n * SECOND })]];
    const source = candidatesOf(...lists);
    const producer = producerOf(() => snapshots.shift(), {
      temporality,
      candidates: () => source.drainCandidates(),
    });
    const first = await collect(producer);
    assert.equal(exemplarsOf(first, PROBE_LENGTH).length, 1);
    const second = await collect(producer);
    producer.acknowledge(first);
    assert.deepEqual(exemplarsOf(second, PROBE_LENGTH), []);
    assert.equal(sumOfNumbers(first, 'mapscope.exemplars.dropped'), 1);
    assert.equal(sumOfNumbers(second, 'mapscope.exemplars.dropped'), 0);
  }
});

test('candidates are asked for after the snapshot was read, once per reading', async () => {
  const calls: string[] = [];
  const producer = producerOf(
    () => {
      calls.push('snapshot');
      return snapshot([callSite(1)]);
    },
    {
      candidates: () => {
        calls.push('candidates');
        return [];
      },
    },
  );
  await collect(producer);
  await collect(producer);
  assert.deepEqual(calls, ['snapshot', 'candidates', 'snapshot', 'candidates']);
});

test('candidates that come with a snapshot are exemplars of its points', async () => {
  for (const temporality of BOTH) {
    const collected: ExemplarCandidate[] = [];
    let reads = 0;
    const producer = producerOf(
      () => {
        const time = START + BigInt(++reads) * SECOND;
        collected.push(candidate({ time: time - 1n, traceId: traceId(reads) }));
        return snapshot([callSite(3 * reads)], { time });
      },
      { temporality, candidates: () => collected.splice(0) },
    );
    for (const read of [1, 2, 3]) {
      const metrics = await collect(producer);
      assert.deepEqual(briefly(exemplarsOf(metrics, PROBE_LENGTH)), [[2, read]]);
      producer.acknowledge(metrics);
    }
  }
});

test('candidates from before the first snapshot are kept for it', async () => {
  const snapshots = [undefined, snapshot([callSite(5)])];
  const source = candidatesOf([candidate()]);
  const producer = producerOf(() => snapshots.shift(), { candidates: () => source.drainCandidates() });
  await collect(producer);
  assert.equal(exemplarsOf(await collect(producer), PROBE_LENGTH).length, 1);
});
