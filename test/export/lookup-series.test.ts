import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OTHERS, OTHERS_NAME } from '../../src/model/position.ts';
import type { CallSiteStats } from '../../src/model/snapshot.ts';
import { MAP_METRICS } from '../../src/otel/contract/metrics.ts';
import { LookupSeries, type Series } from '../../src/otel/metrics/series.ts';
import { callSite } from '../model/fixtures.ts';

const METRICS = ['gomap.lookups', 'gomap.lookup.probe_length'];

/** The series of an observation, whose snapshots a test says. */
class Exported {
  readonly forgotten: string[] = [];
  readonly #series = new LookupSeries(MAP_METRICS.lookups.attributes, METRICS.length, (key) =>
    this.forgotten.push(key),
  );
  #last: readonly Series[] = [];

  /** Lookups by line; of the others under 0, of series that have ended with a `!`. */
  update(callSites: CallSiteStats[], others = 0): Record<string, number> {
    const rest = callSite(others, { callSite: OTHERS, type: OTHERS_NAME });
    this.#last = this.#series.update({ callSites, others: others > 0 ? [rest] : [] });
    return Object.fromEntries(
      this.#last.map(({ attributes, stats, ending }) => [
        `${attributes['code.line.number'] ?? 0}${ending ? '!' : ''}`,
        stats.lookups,
      ]),
    );
  }

  /** The receiver has all of it. */
  delivered(): void {
    for (const { ending } of this.#last) {
      for (const metric of METRICS) {
        ending?.delivered.add(metric);
      }
    }
  }

  get givenUp(): number {
    return this.#series.givenUp;
  }

  since(line: number): bigint | undefined {
    return this.#last.find(({ attributes }) => attributes['code.line.number'] === line)?.since;
  }
}

const at = (line: number, lookups: number, since?: bigint) =>
  callSite(lookups, {
    callSite: { function: 'main.f', file: 'f.go', line },
    ...(since !== undefined && { since }),
  });

test('what a series has told stays told, and the overflow series counts what comes after', () => {
  const exported = new Exported();
  assert.deepEqual(exported.update([at(1, 10), at(2, 5)]), { 1: 10, 2: 5 });
  // Line 1 has made two more lookups, and is given up: the others have all twelve of them, and one of their own.
  assert.deepEqual(exported.update([at(2, 6)], 13), { 2: 6, '1!': 10, 0: 3 });
  assert.deepEqual(exported.update([at(2, 6)], 20), { 2: 6, '1!': 10, 0: 10 }, 'until it has arrived');
  exported.delivered();
  assert.deepEqual(exported.update([at(2, 6)], 21), { 2: 6, 0: 11 });
  assert.equal(exported.forgotten.length, 1);
});

test('a call site that comes back begins a new series when the old one has arrived', () => {
  const exported = new Exported();
  exported.update([at(1, 10)]);
  exported.update([], 10);
  exported.delivered();
  assert.deepEqual(exported.update([at(1, 3, 77n)], 12), { 1: 3, 0: 2 });
  assert.equal(exported.since(1), 77n);
});

test('a call site that comes back before that goes on with it', () => {
  const exported = new Exported();
  exported.update([at(1, 10)]);
  exported.update([], 10);
  assert.deepEqual(exported.update([at(1, 3, 77n)], 12), { 1: 13, 0: 2 });
  assert.equal(exported.since(1), undefined);
  assert.deepEqual(exported.update([at(1, 4, 77n)], 12), { 1: 14, 0: 2 });
  assert.deepEqual(exported.update([], 16), { '1!': 14, 0: 2 }, 'and can end again');
});

test('given up and kept again between two exports', () => {
  const exported = new Exported();
  exported.update([at(1, 10)]);
  assert.deepEqual(exported.update([at(1, 3, 77n)], 12), { 1: 13, 0: 2 });
});

test('an overflow series that has been sent is sent also when it does not grow', () => {
  const exported = new Exported();
  exported.update([at(1, 10)], 1);
  assert.deepEqual(exported.update([], 11), { '1!': 10, 0: 1 });
});

test('of series that end while nothing arrives a thousand wait, and those given up are counted', () => {
  const exported = new Exported();
  for (let line = 1; line <= 1002; line++) {
    exported.update([at(line, 1)], line);
  }
  assert.equal(exported.givenUp, 1, 'the last one goes on');
  assert.equal(exported.forgotten.length, 1);
  exported.delivered();
  exported.update([], 1003);
  assert.equal(exported.givenUp, 1, 'what has arrived is not given up');
});
