// Several targets of one node share what observation may cost it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NodeBudget } from '../../src/observe/windows/node-budget.ts';
import { seeded } from './random.ts';
import { COSTS, type Demand, Simulation } from './simulation.ts';

const FLOOR = 100 * (COSTS.trap + COSTS.decode);

test('while there is enough, all get what they want', () => {
  const budget = new NodeBudget(0.02);
  const [a, b] = [budget.join(), budget.join()];
  a.take(0.001, 0.015);
  assert.equal(b.take(0.001, 0.005), 0.005);
  assert.equal(a.take(0.001, 0.015), 0.015);
});

test('what is short is shared evenly, and who wants less leaves it to the others', () => {
  const budget = new NodeBudget(0.02);
  const shares = [0.002, 0.015, 0.05].map((wanted) => ({ share: budget.join(), wanted }));
  const take = () => shares.map(({ share, wanted }) => share.take(0, wanted));
  take();
  const taken = take();
  assert.deepEqual(
    taken.map((part) => Math.round(part * 1e6)),
    [2000, 9000, 9000],
  );
  shares[1]?.share.leave();
  assert.deepEqual(
    [shares[0], shares[2]].map((s) => Math.round(1e6 * (s?.share.take(0, s.wanted) ?? 0))),
    [2000, 18_000],
  );
});

test('a new target takes none below its floor, and none get more than there is', () => {
  const amount = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(
      amount,
      fc.array(fc.tuple(amount, amount), { minLength: 1, maxLength: 60 }),
      (capacity, members) => {
        const budget = new NodeBudget(capacity);
        const shares = members.map(([floor, more]) => ({
          share: budget.join(),
          floor,
          wanted: floor + more,
        }));
        const take = () => shares.map(({ share, floor, wanted }) => share.take(floor, wanted));
        take();
        const parts = take();
        let floors = 0;
        parts.forEach((part, i) => {
          const { floor = 0, wanted = 0 } = shares[i] ?? {};
          floors += floor;
          assert.ok(part <= wanted + 1e-12);
          // All before it and it are served, whoever came later.
          assert.ok(floors > capacity || part >= floor - 1e-12, `${part} of ${floor}`);
        });
        const sum = parts.reduce((total, part) => total + part, 0);
        assert.ok(sum <= capacity + 1e-9, `${sum} of ${capacity}`);
        const wanted = shares.reduce((total, share) => total + share.wanted, 0);
        assert.ok(sum >= Math.min(wanted, capacity) - 1e-9, 'nothing is left unused');
      },
    ),
  );
});

const BUSY: Demand = { cpus: 0.5, lookups: 500_000 };
const QUIET: Demand = { cpus: 0.0015, lookups: 1000 };

/** Targets of one node, in steps of a second: what each costs, and how many windows it has, per second. */
function simulate(targets: readonly Demand[], capacity: number, seconds: number) {
  const budget = new NodeBudget(capacity);
  const simulations = targets.map(
    (demand, i) => new Simulation({ random: seeded(i), demand: () => demand, share: budget.join() }),
  );
  const run = (until: number) => {
    const start = simulations.map(({ cost, windows }) => ({ cost, windows: windows.length }));
    for (let time = (simulations[0]?.time ?? 0) + 1; time <= until; time++) {
      for (const simulation of simulations) {
        simulation.runUntil(time);
      }
    }
    return simulations.map(({ cost, windows }, i) => ({
      cost: cost - (start[i]?.cost ?? 0),
      windows: windows.length - (start[i]?.windows ?? 0),
    }));
  };
  run(10);
  const seen = run(10 + seconds);
  return {
    costs: seen.map(({ cost }) => cost / seconds),
    windows: seen.map(({ windows }) => windows / seconds),
  };
}

const SMALL: Demand = { cpus: 0.02, lookups: 2000 };

test('fifty targets have no more windows together than the sidecar can bear, and each has some', () => {
  const { windows } = simulate(new Array(50).fill(SMALL), 0.02, 60);
  const sum = windows.reduce((total, each) => total + each, 0);
  assert.ok(sum < 27, `${sum} windows a second`);
  assert.ok(Math.min(...windows) > 0.3, `${Math.min(...windows)}`);
  const alone = simulate([SMALL], 0.02, 60).windows[0] ?? 0;
  assert.ok(alone > 0.7, `${alone} of one that is alone`);
});

test("fifty targets keep within the node's budget, and the quiet ones are not crowded out", () => {
  const targets = [...new Array(10).fill(BUSY), ...new Array(40).fill(QUIET)];
  const capacity = 0.02;
  const { costs } = simulate(targets, capacity, 60);
  const sum = costs.reduce((total, cost) => total + cost, 0);
  assert.ok(sum <= capacity, `${sum}`);
  assert.ok(sum >= 0.5 * capacity, `${sum}`);
  const quiet = costs.slice(10);
  assert.ok(
    quiet.every((cost) => cost > 0.1 * FLOOR),
    `${Math.min(...quiet)} of ${FLOOR}`,
  );
});

test('targets that come when all floors are given get next to nothing', () => {
  const capacity = 5 * FLOOR;
  const { costs } = simulate(new Array(10).fill(QUIET), capacity, 120);
  const sum = costs.reduce((total, cost) => total + cost, 0);
  assert.ok(sum <= 1.1 * capacity, `${sum} of ${capacity}`);
});
