import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seeded } from './random.ts';
import { COSTS, type Demand, Simulation } from './simulation.ts';

const BUSY: Demand = { cpus: 1.5, lookups: 1e6 };
const QUIET: Demand = { cpus: 0.0015, lookups: 1000 };
const IDLE: Demand = { cpus: 0, lookups: 0 };
/** What the floor of lookups per second may cost beyond the budget. */
const FLOOR = 100 * (COSTS.trap + COSTS.decode);

const steady = (demand: Demand) => () => demand;

test('a busy target: the budget is kept and used', () => {
  const simulation = new Simulation({ random: seeded(1), demand: steady(BUSY) });
  simulation.runUntil(5);
  for (let minute = 0; minute < 5; minute++) {
    const { cost, cpuSeconds, windows } = simulation.runUntil(simulation.time + 60);
    assert.ok(cost <= 0.01 * cpuSeconds, `minute ${minute}: ${cost / cpuSeconds}`);
    assert.ok(cost >= 0.006 * cpuSeconds, `minute ${minute}: ${cost / cpuSeconds}`);
    const decoded = windows.reduce((sum, window) => sum + window.decoded, 0);
    assert.ok(decoded >= 5000 * 60, `${decoded / 60} a second`);
    assert.ok(windows.filter((window) => window.full).length <= windows.length / 20, 'few are cut off');
  }
});

test('an idle target costs nothing and is looked at all the same', () => {
  const simulation = new Simulation({ random: seeded(2), demand: steady(IDLE) });
  const { cost, windows } = simulation.runUntil(60);
  assert.equal(cost, 0);
  assert.ok(windows.length > 20 && windows.length < 50, `${windows.length} windows`);
});

test('a target that does little is held to the floor', () => {
  const simulation = new Simulation({ random: seeded(3), demand: steady(QUIET) });
  simulation.runUntil(5);
  const { cost, windows } = simulation.runUntil(65);
  assert.ok(cost <= 60 * FLOOR, `${cost}`);
  assert.ok(windows.reduce((sum, window) => sum + window.decoded, 0) > 1000);
});

for (const [name, from, to] of [
  ['up', QUIET, BUSY],
  ['down', BUSY, QUIET],
] as const) {
  test(`load steps ${name} by a thousand: adapted within five seconds`, () => {
    for (let seed = 0; seed < 20; seed++) {
      const step = 60 + seed / 7;
      const simulation = new Simulation({
        random: seeded(seed),
        demand: (time) => (time < step ? from : to),
      });
      simulation.runUntil(step);
      const atOnce = simulation.runUntil(step + 5);
      assert.ok(atOnce.windows.length > 0, 'it is looked at');
      assert.ok(atOnce.cost <= 0.01 * atOnce.cpuSeconds + 0.02, `${atOnce.cost} in the first five seconds`);
      const after = simulation.runUntil(step + 65);
      const allowed = Math.max(0.01 * after.cpuSeconds, 60 * FLOOR);
      assert.ok(after.cost <= allowed, `${after.cost} of ${allowed}`);
      const decoded = after.windows.reduce((sum, window) => sum + window.decoded, 0);
      assert.ok(decoded >= (to === BUSY ? 60 * 5000 : 1000), `${decoded}`);
      assert.equal(simulation.governor.stops, 0);
    }
  });
}

test('load that steps up and down all the time: the budget is kept in every minute', () => {
  const simulation = new Simulation({
    random: seeded(4),
    demand: (time) => (Math.floor(time / 7) % 2 ? BUSY : QUIET),
  });
  simulation.runUntil(5);
  for (let minute = 0; minute < 10; minute++) {
    const { cost, cpuSeconds } = simulation.runUntil(simulation.time + 60);
    assert.ok(cost <= 0.01 * cpuSeconds, `minute ${minute}: ${cost / cpuSeconds}`);
  }
});

test('a target that gets hardly any CPU is observed less', () => {
  const starved = { cpus: 0.02, lookups: 15_000 };
  const simulation = new Simulation({
    random: seeded(5),
    demand: (time) => (time < 30 ? BUSY : starved),
  });
  simulation.runUntil(35);
  const { cost, cpuSeconds, windows } = simulation.runUntil(95);
  assert.ok(cost <= Math.max(0.01 * cpuSeconds, 60 * FLOOR), `${cost}`);
  assert.ok(windows.length > 0);
});

test('lookups explode within a window: it ends at the hit limit, and the debt is paid', () => {
  // Quiet, with a burst of half a second each ten seconds in which there is nothing but lookups.
  const simulation = new Simulation({
    random: seeded(6),
    demand: (time) => (time % 10 < 0.5 ? { cpus: 2, lookups: 1e8 } : QUIET),
  });
  simulation.runUntil(20);
  const { cost, cpuSeconds, windows } = simulation.runUntil(620);
  assert.ok(windows.some((window) => window.full));
  for (const { opened, closed, decoded } of windows) {
    assert.ok(decoded * (COSTS.trap + COSTS.decode) <= 0.01, `${decoded} in a window`);
    assert.ok(closed - opened <= 0.1001, `${closed - opened} s`);
  }
  assert.ok(cost <= 0.01 * cpuSeconds + 600 * FLOOR, `${cost} of ${cpuSeconds}`);
});

test('a budget that cannot be kept: observation stops, says so, and tries again less and less often', () => {
  const simulation = new Simulation({
    random: seeded(7),
    budget: 0.00002,
    demand: steady({ cpus: 2, lookups: 1e8 }),
  });
  const { windows } = simulation.runUntil(2000);
  assert.ok(simulation.governor.stopped);
  assert.equal(simulation.governor.stops, 1);
  const gaps = windows.slice(1).map((window, i) => window.opened - (windows[i]?.closed ?? 0));
  assert.ok(gaps.length >= 3 && gaps.length < 20, `${gaps}`);
  assert.ok((gaps.at(-1) ?? 0) > 4 * (gaps[0] ?? 0), `${gaps}`);
});

test('after a stop observation goes on when the load allows it', () => {
  const simulation = new Simulation({
    random: seeded(8),
    budget: 0.0005,
    detaching: 0.02,
    demand: (time) => (time < 300 ? { cpus: 2, lookups: 1e8 } : { cpus: 0.5, lookups: 5000 }),
  });
  simulation.runUntil(300);
  assert.equal(simulation.governor.stops, 1);
  const { windows } = simulation.runUntil(900);
  assert.equal(simulation.governor.stopped, false);
  assert.ok(windows.length > 20, `${windows.length}`);
});

test('windows are not in step with a periodic load', () => {
  // Lookups in the first tenth of each period only: a tenth of the windows' time must fall into it, whatever the period.
  for (const period of [0.1, 0.2, 0.4, 0.43, 0.5, 0.8, 1, 2]) {
    const busyIn = (time: number) => (time % period) / period < 0.1;
    const simulation = new Simulation({
      random: seeded(Math.round(1000 * period)),
      demand: (time) => ({ cpus: 1, lookups: busyIn(time) ? 2e5 : 0 }),
    });
    simulation.runUntil(2);
    const { windows } = simulation.runUntil(600);
    const inside = windows.filter(({ opened }) => busyIn(opened)).length;
    const expected = windows.length / 10;
    // Five standard deviations of a binomial distribution.
    assert.ok(
      Math.abs(inside - expected) < 5 * Math.sqrt(0.9 * expected),
      `period ${period}: ${inside} of ${windows.length}`,
    );
  }
});

test('estimates are right on average, also when load is bursty and windows adapt to it', () => {
  let truth = 0;
  let estimate = 0;
  for (let seed = 0; seed < 20; seed++) {
    const demand = (time: number) =>
      Math.sin(time / (1 + seed)) > 0.3 ? { cpus: 1, lookups: 50_000 } : { cpus: 0.1, lookups: 2000 };
    const simulation = new Simulation({ random: seeded(seed), demand });
    simulation.runUntil(120);
    for (let time = 0; time < 120; time += 0.001) {
      truth += demand(time).lookups * 0.001;
    }
    for (const { decoded, opened, closed, spanSeconds } of simulation.windows) {
      estimate += (decoded / (closed - opened)) * spanSeconds;
    }
  }
  assert.ok(Math.abs(estimate / truth - 1) < 0.1, `${estimate / truth}`);
});

test('what other probes cost is taken from the same budget', () => {
  const alone = new Simulation({ random: seeded(9), demand: steady(BUSY) });
  const shared = new Simulation({ random: seeded(9), demand: steady(BUSY), others: () => 0.006 });
  alone.runUntil(120);
  const { cost, cpuSeconds } = shared.runUntil(120);
  assert.ok(!shared.governor.pausesOthers);
  assert.ok(cost <= 0.01 * cpuSeconds, `${cost / cpuSeconds}`);
  const decoded = (of: Simulation) => of.windows.reduce((sum, window) => sum + window.decoded, 0);
  assert.ok(decoded(shared) < 0.8 * decoded(alone));
});

test('other probes that cost more than the budget take turns with pauses, and leave windows their part', () => {
  const simulation = new Simulation({ random: seeded(10), demand: steady(BUSY), others: () => 0.05 });
  simulation.runUntil(5);
  for (let minute = 0; minute < 10; minute++) {
    const { cost, cpuSeconds, windows } = simulation.runUntil(simulation.time + 60);
    assert.ok(cost <= 0.01 * cpuSeconds, `minute ${minute}: ${cost / cpuSeconds}`);
    const decoded = windows.reduce((sum, window) => sum + window.decoded, 0);
    assert.ok(decoded > 60 * 1000, `${decoded / 60} a second`);
    const others = cost - decoded * (COSTS.trap + COSTS.decode);
    assert.ok(others > 0.003 * cpuSeconds, `${others / cpuSeconds}`);
  }
});

test('while other probes take turns with pauses, more lookups are seen in their turns', () => {
  const simulation = new Simulation({
    random: seeded(12),
    demand: steady({ cpus: 0.3, lookups: 50_000 }),
    others: () => 0.04,
  });
  const turns: boolean[] = [];
  for (let time = 0; time < 600; time += 0.1) {
    simulation.runUntil(time);
    turns.push(!simulation.governor.pausesOthers);
  }
  const { cost, cpuSeconds } = simulation;
  assert.ok(cost <= 0.01 * cpuSeconds, `${cost / cpuSeconds}`);
  const inTurn = (time: number) => turns[Math.round(10 * time)] === true;
  const seen = (turn: boolean) =>
    simulation.windows
      .filter(({ opened }) => inTurn(opened) === turn)
      .reduce((sum, { decoded }) => sum + decoded, 0);
  const part = turns.filter((turn) => turn).length / turns.length;
  assert.ok(part < 0.1, `${part} of the time`);
  const rate = (turn: boolean) => seen(turn) / (turn ? part : 1 - part);
  assert.ok(rate(true) > 1.8 * rate(false), `${rate(true)}, ${rate(false)}`);
  assert.ok(seen(false) > seen(true));
});

/** What windows that keep others waiting for so long come to, from the fifth second on. */
function othersLose(seed: number, locked: (time: number) => number) {
  const simulation = new Simulation({ random: seeded(seed), demand: steady(BUSY), locked });
  simulation.runUntil(5);
  const { windows } = simulation.runUntil(605);
  const lost = windows.reduce((sum, { lockedSeconds }) => sum + lockedSeconds, 0);
  return { share: lost / 600, windows: windows.length, stops: simulation.governor.stops };
}

test('what keeps others waiting for a moment only changes nothing', () => {
  const { windows } = othersLose(13, () => 0.0001);
  assert.equal(windows, othersLose(13, () => 0).windows);
});

test('others wait for at most the budget’s share of the time, whatever a window does to them', () => {
  for (let seed = 0; seed < 10; seed++) {
    const random = seeded(100 + seed);
    for (const [name, locked] of [
      ['many processes', () => 0.004],
      ['a busy memory lock', () => 0.03],
      ['now and then for long', () => (random() < 0.1 ? 0.1 : 0.0002)],
      ['by turns', (time: number) => (Math.floor(time / 20) % 2 ? 0.02 : 0.0002)],
    ] as const) {
      const { share, windows, stops } = othersLose(seed, locked);
      assert.ok(share <= 0.01, `${name}: ${share}`);
      assert.ok(windows >= 60, `${name}: ${windows} windows`);
      assert.equal(stops, 0, name);
    }
  }
});

test('when any window would keep others waiting for too long, observation stops', () => {
  const { share, stops, windows } = othersLose(14, () => 0.5);
  assert.equal(stops, 1);
  assert.ok(share <= 0.01, `${share} in ${windows} windows`);
});
