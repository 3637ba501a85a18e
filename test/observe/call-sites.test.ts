import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { total } from '../../src/model/buckets.ts';
import { OTHERS_NAME } from '../../src/model/position.ts';
import type { CallSiteStats, MapState } from '../../src/model/snapshot.ts';
import { CallSites } from '../../src/observe/sites/call-sites.ts';
import { SiteBudget } from '../../src/observe/sites/site-budget.ts';
import { type AggregateName, type Counted, decodeName } from '../../src/programs/readers/aggregate.ts';

/** What the kernel has counted under a name: so many lookups of probe length 1, and the largest map of the cycle. */
interface Kernel {
  readonly name: AggregateName;
  lookups: number;
  entries: number;
}

const NAMER = {
  callSite: ((known: Map<number, { function: string; file: string; line: number }>) => (caller: number) => {
    const position = known.get(caller) ?? { function: 'main.f', file: 'main.go', line: caller };
    known.set(caller, position);
    return position;
  })(new Map()),
  mapType: ({ type }: { type: number }) => ({ type: `map[T${type}]int` }),
  variant: () => 'mapaccess1',
};

const HIT = 1n << 55n;

function kernelName(line: number, hit: boolean): AggregateName {
  return decodeName(BigInt(line) | (hit ? HIT : 0n), 7n);
}

const state = (entries: number, seenAt: number): MapState => ({
  seenAt,
  entries,
  buckets: 1,
  overflowBuckets: 0,
  tombstones: 0,
  directory: 0,
});

/** An observation of sites that are numbered by their lines. */
class Observed {
  readonly #sites: CallSites;
  readonly #kernel = new Map<string, Kernel>();
  #now = 0;

  constructor(most: number) {
    this.#sites = new CallSites(NAMER, new SiteBudget(most), () => this.#now);
  }

  count(line: number, hit: boolean, lookups: number, entries = 10): void {
    const key = `${line} ${hit}`;
    const one = this.#kernel.get(key) ?? { name: kernelName(line, hit), lookups: 0, entries: 0 };
    this.#kernel.set(key, one);
    one.lookups += lookups;
    one.entries = Math.max(one.entries, entries);
  }

  get total(): number {
    return [...this.#kernel.values()].reduce((sum, { lookups }) => sum + lookups, 0);
  }

  tell(seconds = 10): { callSites: CallSiteStats[]; others: CallSiteStats[]; otherSites: number } {
    this.#now += 1000 * seconds;
    const all = [...this.#kernel.values()];
    const told = this.#sites.tell({
      counts: new Map(all.map(({ name, lookups }) => [name, lookups])),
      contents: {
        forEach: (visit) => {
          for (const [at, { name }] of all.entries()) {
            visit(name, at);
          }
        },
        addTo: (to: Counted, at: number) => {
          const { lookups = 0, entries = 0 } = all[at] ?? {};
          to.probeLength[1] = (to.probeLength[1] ?? 0) + lookups;
          to.keyComparisons[1] = (to.keyComparisons[1] ?? 0) + lookups;
          if (entries > to.largest.entries) {
            to.largest = state(entries, this.#now);
          }
        },
      },
      estimateOf: ({ key }) => 3 * (all.find(({ name }) => name.key === key)?.lookups ?? 0),
      time: BigInt(this.#now),
    });
    for (const one of all) {
      one.entries = 0;
    }
    return told;
  }
}

const byLine = (callSites: readonly CallSiteStats[]) =>
  Object.fromEntries(
    callSites.map(({ callSite, hit, lookups }) => [`${callSite.line} ${hit ? 'hit' : 'miss'}`, lookups]),
  );
const sumOf = (callSites: readonly CallSiteStats[]) =>
  callSites.reduce((sum, { lookups }) => sum + lookups, 0);

test('hits and misses of a call site stay together', () => {
  const observed = new Observed(1);
  observed.count(1, true, 10);
  observed.count(1, false, 1);
  observed.count(2, false, 5);
  const { callSites, others, otherSites } = observed.tell();
  assert.deepEqual(byLine(callSites), { '1 hit': 10, '1 miss': 1 });
  assert.deepEqual(byLine(others), { '0 miss': 5 });
  assert.equal(others[0]?.callSite.function, OTHERS_NAME);
  assert.equal(otherSites, 1);
});

test('a site that is busy late has its numbers from then on, and the others what came before', () => {
  const observed = new Observed(1);
  observed.count(1, true, 1000);
  observed.count(2, true, 7, 900);
  observed.tell();
  observed.count(2, true, 5000);
  const admitted = observed.tell(60);
  assert.deepEqual(byLine(admitted.callSites), {}, 'all of it is with the others so far');
  assert.deepEqual(byLine(admitted.others), { '0 hit': 6007 });
  observed.count(2, true, 3, 20);
  observed.count(2, false, 2);
  observed.count(1, true, 1);
  const { callSites, others } = observed.tell();
  assert.deepEqual(byLine(callSites), { '2 hit': 3, '2 miss': 2 });
  assert.deepEqual(byLine(others), { '0 hit': 6008 });
  assert.deepEqual(
    callSites.map(({ since, estimatedLookups }) => [since, estimatedLookups]),
    [
      [70_000n, 9],
      [70_000n, 6],
    ],
  );
  assert.equal(callSites[0]?.largest.entries, 20, 'since it is kept apart');
  assert.equal(others[0]?.largest.entries, 900);
});

test('the largest map of a cycle can be smaller than the one before, the largest of all cannot', () => {
  const observed = new Observed(5);
  observed.count(1, true, 1, 500);
  const [first] = observed.tell().callSites;
  assert.deepEqual([first?.largest.entries, first?.largestOfCycle.entries], [500, 500]);
  observed.count(1, true, 1, 20);
  const [second] = observed.tell().callSites;
  assert.deepEqual([second?.largest.entries, second?.largestOfCycle.entries], [500, 20]);
  const [third] = observed.tell().callSites;
  assert.deepEqual([third?.largest.entries, third?.largestOfCycle.seenAt], [500, 0], 'there was none');
});

test('whatever happens, all together are all lookups, and nobody counts down in a life', () => {
  const step = fc.record({
    lookups: fc.array(
      fc.tuple(fc.integer({ min: 1, max: 12 }), fc.boolean(), fc.integer({ min: 1, max: 500 })),
    ),
    seconds: fc.integer({ min: 1, max: 100 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), fc.integer({ min: 1, max: 6 }), (steps, most) => {
      const observed = new Observed(most);
      let before = new Map<string, number>();
      for (const { lookups, seconds } of steps) {
        for (const [line, hit, count] of lookups) {
          observed.count(line, hit, count);
        }
        const { callSites, others } = observed.tell(seconds);
        assert.equal(sumOf(callSites) + sumOf(others), observed.total);
        const estimated = [...callSites, ...others].reduce((sum, one) => sum + one.estimatedLookups, 0);
        assert.ok(Math.abs(estimated - 3 * observed.total) < 1e-6 * observed.total + 1e-6);
        assert.ok(new Set(callSites.map(({ callSite }) => callSite.line)).size <= most);
        const now = new Map<string, number>();
        for (const one of [...callSites, ...others]) {
          const life = `${one.callSite.line} ${one.hit} ${one.since}`;
          assert.equal(total(one.probeLength), one.lookups);
          assert.ok(one.probeLength.counts.every((count) => count >= 0));
          assert.ok(one.lookups >= (before.get(life) ?? 0), life);
          now.set(life, one.lookups);
        }
        before = now;
      }
    }),
  );
});
