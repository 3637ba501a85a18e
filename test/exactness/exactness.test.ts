import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AttachMethod } from '../../src/kernel/addon.ts';
import { assertGoroutinesComplete } from '../observe/complete.ts';
import { buildOracle, type Cell } from './cells.ts';
import { differences, runOracle } from './oracle.ts';

const LOOKUPS = '150000';
const LONG = { timeout: 900_000 };

/** Both implementations, the oldest and the newest release, and the releases at which something turned. */
const CELLS: readonly Cell[] = [
  { version: '1.17.13', flavor: 'default' },
  { version: '1.21.13', flavor: 'stripped' },
  { version: '1.22.12', flavor: 'spectre' },
  { version: '1.23.12', flavor: 'default' },
  { version: '1.23.12', flavor: 'pie, stripped' },
  { version: '1.24.13', flavor: 'default' },
  { version: '1.24.13', flavor: 'noswissmap' },
  { version: '1.24.13', flavor: 'spectre' },
  { version: 'local', flavor: 'default' },
  { version: 'local', flavor: 'pie, stripped' },
  { version: 'local', flavor: 'no optimisation' },
  { version: 'local', flavor: 'spectre' },
  { version: '1.27.4', flavor: 'default' },
  { version: '1.27.4', flavor: 'pie' },
  { version: '1.27.4', flavor: 'spectre' },
];

async function check(cell: Cell, seed: string, method?: AttachMethod): Promise<void> {
  const run = await runOracle(await buildOracle(cell), ['-seed', seed, '-lookups', LOOKUPS], method);
  assert.ok(run.truth.lookups > 100_000, `the oracle made only ${run.truth.lookups} lookups`);
  assert.deepEqual(differences(run), []);
  assert.deepEqual(run.snapshot.refused, []);
  assert.deepEqual(run.snapshot.inexact, {});
  const { hits, observed, deferred, resumed, unreadable, dropped } = run.snapshot;
  assert.equal(
    Object.values(unreadable).reduce((a, b) => a + b),
    0,
  );
  assert.equal(
    Object.values(dropped).reduce((a, b) => a + b),
    0,
  );
  assert.equal(observed + deferred, hits, 'every hit of a probe site has one outcome');
  assert.equal(resumed, deferred, 'what was deferred was seen at a later site');
  assertGoroutinesComplete(run.snapshot);
}

for (const cell of CELLS) {
  test(`Go ${cell.version}, ${cell.flavor}: every field of every lookup agrees with the oracle`, LONG, () =>
    check(cell, '1'),
  );
}

for (const method of ['uprobe_multi', 'perf_event'] as const) {
  test(`attached by ${method}, the same`, LONG, () =>
    check({ version: 'local', flavor: 'default' }, '2', method),
  );
}

test('many threads on few CPUs, interrupted in the middle of hits: the same', LONG, async () => {
  const oracle = await buildOracle({ version: 'local', flavor: 'default' });
  const run = await runOracle(
    oracle,
    ['-seed', '4', '-lookups', '600000', '-cases', 'concurrent'],
    undefined,
    {
      GOMAXPROCS: '32',
    },
  );
  assert.deepEqual(differences(run), []);
  assertGoroutinesComplete(run.snapshot);
});

test('a difference is found when there is one', LONG, async () => {
  const oracle = await buildOracle({ version: 'local', flavor: 'default' });
  const run = await runOracle(oracle, ['-seed', '3', '-lookups', '20000']);
  const [first, ...rest] = run.truth.callSites;
  assert.ok(first);
  const altered = { ...run.truth, callSites: [{ ...first, lookups: first.lookups + 1 }, ...rest] };
  assert.equal(differences({ ...run, truth: altered }).length, 1);
});
