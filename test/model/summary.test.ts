import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { COUNT_BOUNDS, RATIO_BOUNDS } from '../../src/model/buckets.ts';
import { mergeHitsAndMisses } from '../../src/model/merge.ts';
import { emptySketch } from '../../src/model/sketch.ts';
import { summarySchema } from '../../src/report/summary/schema.ts';
import { summarize } from '../../src/report/summary/summarize.ts';
import { spike, spikeTotals } from '../export/spikes.ts';
import { callSite, distributionOf, following, START, snapshot, TARGET } from './fixtures.ts';
import { goroutineCost, increase } from './goroutines.ts';

test('the document satisfies its schema, with the fields of the contract', () => {
  const summary = summarize(
    TARGET,
    'windows',
    snapshot([callSite(30), callSite(6, { hit: false, inexact: 2 })], {
      unreadable: { stack: 1, type: 3 },
      dropped: { table_full: 2 },
      inexact: { long_key: 2 },
      windows: 4,
      attachedSeconds: 0.5,
      seconds: 10,
      refused: [{ name: 'mapaccess1_fast32', reason: 'unknown shape' }],
    }),
  );
  assert.deepEqual(summarySchema.parse(summary), summary);
  assert.equal(summary.schema, 'mapscope/summary/v1');
  assert.deepEqual(summary.target, {
    pid: 4711,
    exe: '/opt/shop/bin/shop',
    goVersion: 'go1.26.1',
    mapImplementation: 'swiss',
    stripped: false,
    exitCode: null,
    signal: null,
  });
  assert.deepEqual(summary.observed, {
    lookups: 36,
    estimatedLookups: 72,
    hits: 30,
    misses: 6,
    unreadable: 4,
    dropped: 2,
    windows: 4,
    attachedSeconds: 0.5,
    seconds: 10,
    probeSiteHits: 44,
    deferred: 2,
    deferredAndMatched: 2,
    empty: 0,
    leftOut: 0,
    notDecoded: 0,
    unaccounted: 0,
    inexact: 2,
    unreadableByReason: { stack: 1, type: 3 },
    droppedByReason: { table_full: 2 },
    inexactByReason: { long_key: 2 },
  });
  assert.equal(summary.overhead.share, 0.002);
  assert.equal(summary.overhead.windows, 4);
  assert.equal(summary.overhead.attachedSeconds, 0.5);
  assert.ok(Math.abs(summary.overhead.secondsPerHit - 0.001 / 39) < 1e-9);
  assert.deepEqual(summary.refusedFunctions, [{ name: 'mapaccess1_fast32', reason: 'unknown shape' }]);
});

test('hits and misses of a call site are one entry', () => {
  const miss = callSite(10, {
    hit: false,
    keyComparisons: distributionOf(COUNT_BOUNDS, [0, 0, 0, 0, 0, 0, 0, 0, 0, 30]),
    largest: { seenAt: 1, entries: 900, buckets: 128, overflowBuckets: 0, tombstones: 0, directory: 0 },
    mapsAtLeast: 3,
    estimatedMaps: 4,
    growing: 2,
    inexact: 1,
    loadFactor: distributionOf(RATIO_BOUNDS, new Array<number>(10).fill(0.9)),
  });
  const hit = callSite(30, { growing: 5, inexact: 3 });
  const { callSites } = summarize(TARGET, 'all', snapshot([hit, miss]));
  assert.equal(callSites.length, 1);
  const [entry] = callSites;
  assert.equal(entry?.lookups, 40);
  assert.equal(entry?.hits, 30);
  assert.equal(entry?.misses, 10);
  assert.equal(entry?.keyComparisons.max, 30);
  assert.equal(entry?.keyComparisons.sum, 60);
  assert.equal(entry?.probeLength.sum, 60 + 19);
  assert.equal(entry?.entries, 900);
  assert.equal(
    entry?.maps,
    3,
    'both sides may have seen the same maps, so three are certain and four are not',
  );
  assert.equal(entry?.estimatedMaps, 4);
  assert.equal(entry?.buckets, 128);
  assert.equal(entry?.growing, 7);
  assert.equal(entry?.inexact, 4);
  assert.equal(entry?.loadFactor.toFixed(9), '0.600000000', 'the mean over all lookups');
});

/** The sketch of maps with these registers. */
function sketchOf(...registers: number[]): Uint8Array {
  const sketch = emptySketch();
  for (const register of registers) {
    sketch[2 * register] = 1;
  }
  return sketch;
}

test('with sketches a map seen by hits and misses counts once, and different maps add up', () => {
  const { callSites } = summarize(
    TARGET,
    'all',
    snapshot([
      callSite(3, { mapsSketch: sketchOf(1, 2, 3), mapsAtLeast: 3, estimatedMaps: 3 }),
      callSite(2, { hit: false, mapsSketch: sketchOf(3, 4), mapsAtLeast: 2, estimatedMaps: 2 }),
    ]),
  );
  assert.equal(callSites[0]?.maps, 4);
});

test('variants and types stay apart, and the busiest call site comes first', () => {
  const merged = mergeHitsAndMisses([
    callSite(1, { variant: 'mapaccess1_faststr' }),
    callSite(3, { type: 'map[string]bool' }),
    callSite(2),
  ]);
  assert.deepEqual(
    merged.map(({ lookups, variant, type }) => [lookups, variant, type]),
    [
      [3, 'mapaccess2_faststr', 'map[string]bool'],
      [2, 'mapaccess2_faststr', 'map[string]int'],
      [1, 'mapaccess1_faststr', 'map[string]int'],
    ],
  );
});

test('no lookup is lost or counted twice, whatever is merged', () => {
  const site = fc.record({
    lookups: fc.nat(20),
    hit: fc.boolean(),
    line: fc.nat(2),
    type: fc.constantFrom('map[string]int', 'map[int]int'),
  });
  fc.assert(
    fc.property(fc.array(site), (sites) => {
      const snap = snapshot(
        sites.map(({ lookups, hit, line, type }) =>
          callSite(lookups, { hit, type, callSite: { function: 'main.f', file: 'f.go', line } }),
        ),
      );
      const summary = summarySchema.parse(summarize(TARGET, 'all', snap));
      const sum = summary.callSites.reduce((all, { lookups }) => all + lookups, 0);
      assert.equal(sum, snap.observed);
      assert.equal(summary.observed.lookups, snap.observed);
      for (const { probeLength, lookups } of summary.callSites) {
        assert.equal(
          probeLength.counts.reduce((all, count) => all + count, 0),
          lookups,
        );
      }
    }),
  );
});

test('the document does not change when counting goes on', () => {
  const counting = callSite(3);
  const summary = summarize(TARGET, 'all', snapshot([counting]));
  counting.probeLength.counts[1] = 99;
  assert.equal(summary.callSites[0]?.probeLength.counts[1], 1);
});

test('the schema refuses documents that do not add up', () => {
  const summary = summarize(TARGET, 'all', snapshot([callSite(3)]));
  const broken = structuredClone(summary);
  broken.callSites[0]?.probeLength.counts.pop();
  assert.equal(summarySchema.safeParse(broken).success, false);
  assert.equal(
    summarySchema.safeParse({ ...summary, observed: { ...summary.observed, hits: 99 } }).success,
    false,
  );
});

test('spikes are in the document, without addresses, when they were looked for', () => {
  assert.equal('spikes' in summarize(TARGET, 'all', snapshot([])), false);
  const latest = [spike({ time: START + 12_345_678n, suppressed: 3 })];
  const summary = summarize(TARGET, 'all', snapshot([], { spikes: spikeTotals({ latest }) }));
  assert.deepEqual(summarySchema.parse(summary), summary);
  const { map, ...told } = spike();
  const { callSite: site, hit: _, time: _time, ...rest } = told;
  assert.deepEqual(summary.spikes, {
    threshold: '32',
    seen: 7,
    delivered: 1,
    suppressed: 6,
    suppressedByReason: { rate_limit: 5, no_memory: 0, not_delivered: 1 },
    latest: [{ ...rest, ...site, map, suppressed: 3, result: 'hit', time: '2026-09-21T14:13:20.012345678Z' }],
  });
  const relative = snapshot([], { spikes: spikeTotals({ threshold: { factor: 8 } }) });
  assert.equal(summarize(TARGET, 'all', relative).spikes?.threshold, '8x');
});

test('lookups by goroutine: the heaviest first, as many as wanted, the rest together', () => {
  const kept = [goroutineCost(9, 30), goroutineCost(7, 50), goroutineCost(8, 40, 3)];
  const snap = snapshot([callSite(125)], {
    goroutines: { kept, other: increase(0, 5), unattributed: { no_room: 5 } },
  });
  const { goroutines } = summarySchema.parse(summarize(TARGET, 'all', snap, { goroutines: 2 }));
  assert.deepEqual(
    goroutines?.heaviest.map((one) => [
      one.goroutine,
      one.parentGoroutine,
      one.lookups,
      one.hits,
      one.misses,
      one.missingAtMost,
    ]),
    [
      [7, 1, 50, 25, 25, 0],
      [8, 1, 40, 20, 20, 3],
    ],
  );
  assert.deepEqual(goroutines?.heaviest[0]?.probeLength.counts.slice(0, 3), [0, 50, 0]);
  assert.equal(goroutines?.other.lookups, 35);
  assert.equal(goroutines?.other.keyComparisons.counts[0], 35);
  assert.deepEqual(goroutines?.unattributed, { no_room: 5 });
});

test('without counts by goroutine the document has none', () => {
  assert.ok(!('goroutines' in summarize(TARGET, 'all', snapshot([callSite(3)]))));
});

test('spans are told with what their lookups took, and how they were followed', () => {
  const span = (spanId: string, lookups: number, probes: number) => ({
    traceId: 'a'.repeat(32),
    spanId,
    sampled: true,
    goroutine: 7,
    lookups,
    hits: 1,
    probes,
    keyComparisons: lookups,
    partsCompared: lookups,
  });
  const kept = [span('1'.repeat(16), 10, 10), span('2'.repeat(16), 5, 500), span('3'.repeat(16), 1, 1)];
  const snap = snapshot([callSite(30)], {
    spans: { kept, otherLookups: 4, outside: { no_span: 9, no_room: 0 } },
    following: following(),
  });
  const summary = summarySchema.parse(summarize(TARGET, 'all', snap, { spans: 2 }));
  assert.deepEqual(
    summary.spans?.heaviest.map(({ spanId, misses }) => [spanId, misses]),
    [
      ['2'.repeat(16), 4],
      ['1'.repeat(16), 9],
    ],
  );
  assert.equal(summary.spans?.otherLookups, 5);
  assert.deepEqual(summary.spans?.lookupsOutside, { no_span: 9, no_room: 0 });
  assert.deepEqual(summary.following, following());
  const plain = summarize(TARGET, 'all', snapshot([callSite(30)]));
  assert.ok(!('spans' in plain) && !('following' in plain));
});
