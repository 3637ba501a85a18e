// Differences of snapshots add up to the snapshots, whatever is folded, compressed, forgotten or sent.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { COUNT_BOUNDS } from '../../src/model/buckets.ts';
import { mergeHitsAndMisses } from '../../src/model/merge.ts';
import { OTHERS, OTHERS_NAME } from '../../src/model/position.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { RangeTotals } from '../../src/page/browser/data/ranges.ts';
import { groupsOf, rowsOf } from '../../src/page/browser/data/rows.ts';
import { Series } from '../../src/page/browser/data/series.ts';
import { manyProbes } from '../../src/page/browser/data/statistics.ts';
import { isKnown, Timeline } from '../../src/page/browser/data/timeline.ts';
import {
  ALL_CELLS,
  eachCell,
  foldIntervals,
  type PackedInterval,
  readHead,
} from '../../src/page/format/interval.ts';
import { countsOf, type Quantity, TALLY } from '../../src/page/format/tally.ts';
import { Differences } from '../../src/page/history/differences.ts';
import { History } from '../../src/page/history/history.ts';
import { unpackIntervals } from '../../src/page/history/tier.ts';
import { callSite, SECOND, START, snapshot } from '../model/fixtures.ts';
import { Observed, type Step, steps } from './snapshots.ts';

const QUANTITIES: readonly Quantity[] = ['probeLength', 'keyComparisons', 'homePosition', 'loadFactor'];

/** All counts of one distribution in a snapshot, hits and misses together. */
function countsIn(of: Snapshot | undefined, quantity: Quantity): number[] {
  const counts = of?.callSites.map((site) => site[quantity].counts) ?? [];
  const length = counts[0]?.length ?? 0;
  return Array.from({ length }, (_, i) => counts.reduce((sum, one) => sum + (one[i] ?? 0), 0));
}

const minus = (a: readonly number[], b: readonly number[]) => a.map((value, i) => value - (b[i] ?? 0));

function recorded(made: readonly Step[]): { snapshots: Snapshot[]; history: History } {
  const observed = new Observed();
  const history = new History();
  const snapshots = made.map((step) => observed.step(step));
  for (const one of snapshots) {
    history.take(one);
  }
  return { snapshots, history };
}

test('for any range the cells of a picture add up to the difference of the snapshots', async () => {
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.nat(),
      fc.nat(),
      fc.integer({ min: 1, max: 30 }),
      async (made, a, b, width) => {
        const { snapshots, history } = recorded(made);
        const timeline = await Timeline.read(history.document());
        const [from, to] = [a % made.length, b % made.length].sort((x, y) => x - y) as [number, number];
        // The snapshots at the beginning and at the end of the range.
        const before = from === 0 ? undefined : snapshots[from - 1];
        const after = snapshots[to];
        const start = before === undefined ? Number(START / 1000n) : Number(before.time / 1000n);
        const intervals = timeline.between(start, Number((after as Snapshot).time / 1000n));
        const columns = new Series({ sites: undefined, result: 'both' }).columns(intervals, width * 1e6);
        for (const quantity of QUANTITIES) {
          const cells = columns.flatMap(({ tally }) =>
            tally === undefined ? [] : [countsOf(tally, quantity)],
          );
          const expected = minus(countsIn(after, quantity), countsIn(before, quantity));
          const sums = expected.map((_, i) => cells.reduce((sum, one) => sum + (one[i] ?? 0), 0));
          assert.deepEqual(sums, expected);
        }
      },
    ),
    { numRuns: 60 },
  );
});

/** Of all cells. */
function lookupsIn(packed: PackedInterval | undefined): number {
  let sum = 0;
  eachCell(packed?.cells ?? new Uint8Array(), ALL_CELLS, (_id, tally) => {
    sum += tally[TALLY.lookups] ?? 0;
  });
  return sum;
}

test('a site that is not kept apart any more has given its lookups to the others: none is told twice', () => {
  const place = (name: string) => ({ callSite: { function: name, file: '/f.go', line: 1 }, hit: true });
  const others = (lookups: number) => [
    callSite(lookups, { callSite: OTHERS, variant: OTHERS_NAME, type: OTHERS_NAME, hit: true }),
  ];
  const at = (seconds: bigint) => ({ time: START + seconds * SECOND });
  const history = new Differences();
  const told = [
    snapshot([callSite(70, place('a')), callSite(10, place('b'))], { ...at(1n), others: others(20) }),
    // The first has given its 70 to the others, and 5 more came at either.
    snapshot([callSite(15, place('b'))], { ...at(2n), others: others(95) }),
    // It is kept again, from now on.
    snapshot([callSite(15, place('b')), callSite(3, place('a'))], { ...at(3n), others: others(95) }),
  ].map((one) => history.take(one));
  assert.deepEqual(
    told.map((one) => [one?.restarts, lookupsIn(one?.packed)]),
    [
      [false, 100],
      [false, 10],
      [false, 3],
    ],
  );
});

test('the rows of the table are the call sites of the report', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (made) => {
      const { snapshots, history } = recorded(made);
      const timeline = await Timeline.read(history.document());
      const totals = new RangeTotals(timeline, 60e6);
      for (const interval of timeline.intervals) {
        totals.add(interval);
      }
      const rows = rowsOf(totals, groupsOf(timeline.sites, 'site', ''));
      for (const { tally, lookups, visits, many } of rows) {
        assert.deepEqual(
          [lookups, visits, many],
          [tally[TALLY.lookups], tally[TALLY.probes], manyProbes(tally)],
        );
      }
      const merged = mergeHitsAndMisses(snapshots.at(-1)?.callSites ?? []);
      const shown = rows.map(({ tally, hits, lookups }) => ({
        lookups,
        hits,
        probes: tally[TALLY.probes],
        estimated: Math.round((tally[TALLY.estimated] ?? 0) / 1000),
        counts: countsOf(tally, 'probeLength'),
      }));
      const expected = merged.map(({ lookups, hits, probeLength, estimatedLookups }) => ({
        lookups,
        hits,
        probes: probeLength.sum,
        estimated: Math.round(estimatedLookups),
        counts: probeLength.counts,
      }));
      const order = (a: { lookups: number; probes?: number | undefined }, b: typeof a) =>
        b.lookups - a.lookups || (b.probes ?? 0) - (a.probes ?? 0);
      assert.deepEqual(shown.toSorted(order), expected.toSorted(order));
    }),
    { numRuns: 40 },
  );
});

test('a range that moves along has the sums of one made anew', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 10 }), async (made, width) => {
      const { history } = recorded(made);
      const timeline = await Timeline.read(history.document());
      const moving = new RangeTotals(timeline, 60e6);
      for (const interval of timeline.intervals) {
        moving.add(interval);
        if (moving.intervals.length > width) {
          moving.removeOldest();
        }
      }
      const fresh = new RangeTotals(timeline, 60e6);
      for (const interval of timeline.intervals.slice(-width)) {
        fresh.add(interval);
      }
      for (let id = 0; id < 2 * timeline.sites.length; id++) {
        assert.deepEqual([...moving.tally(id)], [...fresh.tally(id)]);
      }
    }),
    { numRuns: 40 },
  );
});

test('a time without a window is unknown, one with an empty window is zero', async () => {
  const { history } = recorded([
    { lookups: [{ site: 0, hit: true, probeLength: 1, keyComparisons: 1, times: 5 }], window: true },
    { lookups: [], window: false },
    { lookups: [], window: true },
  ]);
  const { intervals } = await Timeline.read(history.document());
  assert.deepEqual(intervals.map(isKnown), [true, false, true]);
  const columns = new Series({ sites: undefined, result: 'both' }).columns(intervals, 3600e6);
  assert.deepEqual(
    columns.map(({ tally }) => tally?.[TALLY.lookups]),
    [5, undefined, 0],
    'what is known and what is not are never one column',
  );
});

test('minutes that were folded hold what their seconds held', () => {
  const observed = new Observed();
  const differences = new Differences();
  const packed: PackedInterval[] = [];
  for (let i = 0; i < 30; i++) {
    const step = {
      lookups: [{ site: i % 4, hit: i % 2 === 0, probeLength: 1 + i, keyComparisons: i, times: i + 1 }],
      window: true,
    };
    packed.push(differences.take(observed.step(step))?.packed as PackedInterval);
  }
  const whole = readHead(foldIntervals(packed).head);
  const halves = [foldIntervals(packed.slice(0, 13)), foldIntervals(packed.slice(13))];
  assert.deepEqual(readHead(foldIntervals(halves).head), whole);
  assert.deepEqual(foldIntervals(halves).cells, foldIntervals(packed).cells);
  assert.equal((whole.hits[TALLY.lookups] ?? 0) + (whole.misses[TALLY.lookups] ?? 0), (30 * 31) / 2);
});

test('an hour and more: seconds become minutes, and nothing is lost or counted twice', async () => {
  const observed = new Observed();
  const history = new History();
  const live = await Timeline.read(new History().document());
  let last: Snapshot | undefined;
  for (let i = 0; i < 4_000; i++) {
    last = observed.step({
      lookups: [
        { site: i % 6, hit: i % 3 > 0, probeLength: 1 + (i % 20), keyComparisons: i % 4, times: 1 + (i % 7) },
      ],
      window: true,
    });
    const event = history.take(last);
    assert.ok(event !== undefined && event !== 'restart');
    live.add(event);
  }
  const read = await Timeline.read(history.document());
  for (const timeline of [read, live]) {
    const { intervals } = timeline;
    assert.ok(intervals.length < 3_800 && intervals.length > 3_500, String(intervals.length));
    assert.ok(
      intervals.every(({ facts }, i) => i === 0 || facts.first === (intervals[i - 1]?.facts.last ?? 0) + 1),
    );
    const columns = new Series({ sites: undefined, result: 'both' }).columns(intervals, 60e6);
    const counts = columns.map(({ tally }) => countsOf(tally ?? new Float64Array(), 'probeLength'));
    const sums = Array.from({ length: COUNT_BOUNDS.length + 1 }, (_, i) =>
      counts.reduce((sum, one) => sum + (one[i] ?? 0), 0),
    );
    assert.deepEqual(sums, countsIn(last, 'probeLength'));
  }
});

test('memory is bounded, and what is forgotten is unknown', async () => {
  const bytes = 16_000;
  const history = new History(() => bytes);
  const observed = new Observed();
  let random = 1;
  const next = (most: number) => {
    random = (random * 48_271) % 2_147_483_647;
    return random % most;
  };
  for (let i = 0; i < 1_000; i++) {
    const lookups = Array.from({ length: 5 }, () => ({
      site: next(40),
      hit: next(2) > 0,
      probeLength: 1 + next(1000),
      keyComparisons: next(30),
      times: 1 + next(99_999),
    }));
    history.take(observed.step({ lookups, window: true }));
    assert.ok(history.bytes <= bytes, `${history.bytes} bytes after ${i}`);
  }
  const { fine, coarse } = history.document();
  const seconds = fine.flatMap(unpackIntervals).length;
  assert.ok(seconds >= 1 && seconds < 1_000, `${seconds} seconds are left`);
  assert.ok(
    coarse.some(({ cells }) => cells === null),
    'call sites of some minutes are forgotten',
  );
  const timeline = await Timeline.read({ ...history.document(), fine, coarse });
  const series = new Series({ sites: new Set([0]), result: 'both' });
  assert.equal(series.tally(timeline.intervals[0] as (typeof timeline.intervals)[number]), undefined);
  assert.ok(isKnown(timeline.intervals[0] as (typeof timeline.intervals)[number]), 'their totals are not');
});

test('counts that fall void what was told before', () => {
  const history = new History();
  const both = [callSite(9), callSite(5, { type: 'map[int]int' })];
  const at = (seconds: bigint, sites: typeof both) => snapshot(sites, { time: START + seconds * SECOND });
  assert.equal(typeof history.take(at(1n, both)), 'object');
  assert.equal(history.take(at(2n, [callSite(12)])), 'restart');
  const { fine } = history.document();
  const heads = fine.flatMap(unpackIntervals).map(({ head }) => readHead(head));
  assert.deepEqual(
    heads.map(({ hits }) => hits[TALLY.lookups]),
    [12],
  );
  assert.equal(heads[0]?.facts.start, Number(START / 1000n), 'what is left was counted since the start');
});

test('a snapshot that is not later is nothing new', () => {
  const history = new History();
  const one = snapshot([callSite(3)]);
  assert.ok(history.take(one));
  assert.equal(history.take(one), undefined);
});

test('who missed events gets them, who missed too many fetches all', () => {
  const history = new History();
  const observed = new Observed();
  const step = {
    lookups: [{ site: 0, hit: true, probeLength: 1, keyComparisons: 1, times: 1 }],
    window: true,
  };
  for (let i = 0; i < 130; i++) {
    history.take(observed.step(step));
  }
  assert.equal(history.newest, 129);
  assert.equal(history.since(129)?.length, 0);
  assert.equal(history.since(125)?.length, 4);
  assert.equal(history.since(3), undefined);
  assert.equal(history.since(500), undefined, 'of another observation');
});
