// The distance between the kernel's clock and the time of day.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addon } from '../../src/kernel/addon.ts';

const MILLI = 1_000_000n;

test('the distance of the clocks is that of their readings, and stays the same', () => {
  const found: bigint[] = [];
  // Long enough to lose the processor now and then, which must not show.
  const end = performance.now() + 1000;
  while (performance.now() < end) {
    const earliest = process.hrtime.bigint();
    const epoch = BigInt(Date.now()) * MILLI;
    const latest = process.hrtime.bigint();
    const offset = addon.monotonicToEpoch();
    assert.ok(epoch - latest <= offset && offset <= epoch + MILLI - earliest);
    found.push(offset);
  }
  found.sort((a, b) => Number(a - b));
  const spread = (found.at(-1) ?? 0n) - (found[0] ?? 0n);
  assert.ok(found.length > 1000 && spread < MILLI / 10n, `${spread} ns in ${found.length} calls`);
});
