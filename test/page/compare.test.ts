// What is called a sure difference is one: chance passes for it as rarely as is said.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareRanges } from '../../src/page/browser/data/compare.ts';
import { ratio, relativeError } from '../../src/page/browser/data/statistics.ts';
import { type Interval, Timeline } from '../../src/page/browser/data/timeline.ts';
import type { IntervalFacts } from '../../src/page/format/interval.ts';
import { History } from '../../src/page/history/history.ts';
import { Observed } from './snapshots.ts';

/** The same numbers every time. */
class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed * 7919 + 1;
  }

  below(most: number): number {
    this.#state = (this.#state * 48_271) % 2_147_483_647;
    return this.#state % most;
  }
}

/** A minute of a call site whose lookups of a second resemble one another. @param longer how often lookups walk far, of 100 */
async function timelineOf(random: Random, longer: (second: number) => number): Promise<Timeline> {
  const observed = new Observed();
  const history = new History();
  for (let second = 0; second < 120; second++) {
    const times = 200 + random.below(400);
    const many = Math.round((times * Math.min(100, longer(second) + random.below(5))) / 100);
    const lookups = [
      { site: 0, hit: true, probeLength: 1, keyComparisons: 1, times: times - many },
      { site: 0, hit: true, probeLength: 12, keyComparisons: 1, times: many },
    ].filter((one) => one.times > 0);
    history.take(observed.step({ lookups, window: true }));
  }
  return Timeline.read(history.document());
}

const halves = ({ intervals }: Timeline): [Interval[], Interval[]] => [
  intervals.slice(60),
  intervals.slice(0, 60),
];

test('where nothing differs, hardly any difference is called sure, and intervals hold zero as often as they say', async () => {
  let sure = 0;
  let outside = 0;
  const runs = 200;
  for (let seed = 1; seed <= runs; seed++) {
    const timeline = await timelineOf(new Random(seed), () => 5);
    const changes = compareRanges(timeline.sites, ...halves(timeline), 'site');
    sure += Number(changes.some(({ isSure }) => isSure));
    const interval = changes.find(({ measure }) => measure === 'probes')?.interval;
    outside += Number((interval?.[0] ?? 1) > 0 || (interval?.[1] ?? -1) < 0);
  }
  // 10 are expected; 25 would be by chance once in 10,000 times.
  assert.ok(outside <= 25, `${outside} of ${runs}`);
  // Of five measures, and each of them honest: a run with any sure one is no more frequent.
  assert.ok(sure <= 25, `${sure} of ${runs}`);
});

test('a difference is found, with an interval that holds it', async () => {
  let held = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const timeline = await timelineOf(new Random(seed), (second) => (second < 60 ? 5 : 15));
    const [first] = compareRanges(timeline.sites, ...halves(timeline), 'site');
    const probes = compareRanges(timeline.sites, ...halves(timeline), 'site').find(
      ({ measure }) => measure === 'probes',
    );
    assert.ok(first?.isSure);
    assert.ok(probes?.isSure);
    // Ten of a hundred lookups walk eleven further.
    held += Number((probes.interval?.[0] ?? 9) < 1.1 && (probes.interval?.[1] ?? 0) > 1.1);
  }
  assert.ok(held >= 51, `the interval held the truth in ${held} of 60`);
});

test('a difference without enough time has no interval, and is not called sure', async () => {
  const timeline = await timelineOf(new Random(1), () => 5);
  const changes = compareRanges(
    timeline.sites,
    timeline.intervals.slice(0, 2),
    timeline.intervals.slice(2, 4),
    'site',
  );
  assert.ok(changes.length > 0);
  assert.ok(changes.every(({ interval, isSure }) => interval === null && !isSure));
});

test('a row that is gone has a rate of 0, and no mean', async () => {
  const timeline = await timelineOf(new Random(1), () => 5);
  const other = await timelineOf(new Random(2), () => 5);
  const renamed = other.sites.map((site) => ({ ...site, type: 'map[other]int' }));
  const sites = [...renamed, ...timeline.sites];
  // Both timelines call their only site 0: what is compared is that one against time in which it does nothing.
  const quiet = timeline.intervals.map((interval) => ({
    ...interval,
    packed: { ...interval.packed, cells: new Uint8Array() },
  }));
  const changes = compareRanges(sites, quiet, other.intervals, 'site');
  assert.deepEqual(
    changes.map(({ measure }) => measure),
    ['rate'],
  );
  assert.equal(changes[0]?.now?.value, 0);
});

test('intervals count as draws, not lookups', () => {
  // Two intervals of a thousand lookups each that differ: a thousand alike are one draw.
  const few = ratio({ n: 3, x: 3000, y: 6000, xx: 3e6, xy: 6e6, yy: 1000 ** 2 + 2000 ** 2 + 3000 ** 2 });
  assert.equal(few?.value, 2);
  assert.ok((few?.error ?? 0) > 0.5);
  assert.equal(ratio({ n: 2, x: 1, y: 1, xx: 1, xy: 1, yy: 1 })?.error, null);
  assert.equal(ratio({ n: 9, x: 0, y: 0, xx: 0, xy: 0, yy: 0 }), null);
});

test('a part of the windows has a larger error than all of them, and a call site one of its own', () => {
  const facts = (windows: number): IntervalFacts =>
    ({ windows, windowsSoFar: 400, errorSoFar: 20_000 }) as IntervalFacts;
  assert.equal(relativeError([facts(400)], 'windows', null), 0.02);
  assert.equal(relativeError([facts(4)], 'windows', null), 0.2);
  assert.equal(relativeError([facts(400)], 'windows', 100), Math.hypot(0.02, 0.1));
  assert.equal(relativeError([facts(0)], 'windows', null), null, 'without a window nothing is known');
  assert.equal(relativeError([{ ...facts(4), errorSoFar: null }], 'windows', null), null);
  assert.equal(relativeError([facts(4)], 'all', null), 0);
});
