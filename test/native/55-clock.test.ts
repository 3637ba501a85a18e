// The distance between the kernel's clock and the time of day.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { addon } from '../../src/kernel/addon.ts';
import { EpochClock } from '../../src/kernel/epoch-clock.ts';

const MILLI = 1_000_000n;

/** The clock that goes on while the machine sleeps, in ns: /proc/uptime has hundredths of it. */
const uptime = () => BigInt(Math.round(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1e9));

test('the kernel counts from the start of the machine', () => {
  const before = uptime();
  const boot = addon.bootNow();
  assert.ok(boot >= before && boot < uptime() + 20n * MILLI, `${boot}`);
});

test('the distance of the clocks is that of their readings, and stays the same', () => {
  const found: bigint[] = [];
  // Long enough to lose the processor now and then, which must not show.
  const end = performance.now() + 1000;
  while (performance.now() < end) {
    const earliest = addon.bootNow();
    const epoch = BigInt(Date.now()) * MILLI;
    const latest = addon.bootNow();
    const offset = addon.bootToEpoch();
    assert.ok(epoch - latest <= offset && offset <= epoch + MILLI - earliest);
    found.push(offset);
  }
  found.sort((a, b) => Number(a - b));
  const spread = (found.at(-1) ?? 0n) - (found[0] ?? 0n);
  assert.ok(found.length > 1000 && spread < MILLI / 10n, `${spread} ns in ${found.length} calls`);
});

test('times ascend, and differ by what has passed, when the time of day is set and when the machine sleeps', () => {
  const SECOND = 1000n * MILLI;
  const machine = { boot: 5n * SECOND, epoch: 1_790_000_000n * SECOND };
  const clock = new EpochClock({
    bootNow: () => machine.boot,
    bootToEpoch: () => machine.epoch - machine.boot,
  });
  assert.equal(clock.now(), machine.epoch);
  const start = clock.now();
  const pass = (time: bigint, step = 0n) => {
    machine.boot += time;
    machine.epoch += time + step;
    return clock.now() - start;
  };
  assert.equal(pass(2n * SECOND), 2n * SECOND);
  assert.equal(pass(SECOND, -60n * SECOND), 3n * SECOND, 'set back by a minute');
  assert.equal(pass(SECOND, 3600n * SECOND), 4n * SECOND, 'set forward by an hour');
  assert.equal(pass(100n * SECOND), 104n * SECOND, 'asleep');
  assert.equal(clock.offset, 1_789_999_995n * SECOND, 'what lookups are dated with stays the same, too');
});
