// A return address is whatever the target has on its stack. It names a call site, and nothing else.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Summary } from '../../src/report/summary/schema.ts';
import { mapscope } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';

const LIMIT = { timeout: 120_000 };
const program = await buildGo({ dir: join(import.meta.dirname, '../services/wild'), version: 'local' });

/** Whether the key is found, and a return address whose upper bits say something else, and another function besides. */
for (const [result, key, back] of [
  ['hit', '5', '0xff00000000000123'],
  ['miss', '5000', '0xff80000000000123'],
] as const) {
  test(`a ${result} with a wild return address counts for its function, as a ${result}`, LIMIT, async () => {
    const args = ['run', '--mode', 'all', '--format', 'json', '--', program, key, back];
    const { stdout, stderr } = await mapscope(args);
    const summary: Summary = JSON.parse(stdout.slice(stdout.indexOf('{\n  "schema"')));
    assert.ok(summary.target.exitCode !== 0, 'it has crashed');
    const { lookups, hits, misses } =
      summary.functions.find(({ name }) => name === 'mapaccess1_fast64') ?? assert.fail(stderr);
    assert.deepEqual(
      [lookups, hits, misses],
      [1001, result === 'hit' ? 1001 : 1000, result === 'hit' ? 0 : 1],
    );
    assert.equal(summary.observed.leftOut, 0);
    assert.equal(summary.observed.unaccounted, 0);
    const wild = summary.callSites.find(({ lookups: count }) => count === 1);
    assert.deepEqual([wild?.function, wild?.line, wild?.type], ['?', 0, 'map[uint64]int']);
  });
}
