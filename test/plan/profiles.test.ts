// Programs built with a profile (PGO), which Go 1.22 and 1.23 apply to the runtime too.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openGoBinary } from '../../src/gobinary/index.ts';
import { planProbes } from '../../src/plan/lookups/plan.ts';
import { differences, runOracle } from '../exactness/oracle.ts';
import { mapscope } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';

const LONG = { timeout: 300_000 };
const ORACLE = fileURLToPath(new URL('../services/oracle', import.meta.url));

/** The line of the call of a map type's hasher, from the function's own line on (src/runtime/map.go of Go 1.23.12). */
const HASHED_AT = 22;

/** Builds the oracle with a profile in which one hash function prevails, in the compiler's own form. */
function withProfile(hash: string): Promise<string> {
  const calls = ['runtime.mapaccess1', 'runtime.mapaccess2'].map(
    (fn) => `${fn}\n${hash}\n${HASHED_AT} 1000\n`,
  );
  const profile = join(tmpdir(), `mapscope-${hash}.profile`);
  // A fixed path, since it is among the flags by which a build is found again.
  writeFileSync(profile, `GO PREPROFILE V1\n${calls.join('')}`);
  return buildGo({ dir: ORACLE, version: '1.23.12', flags: [`-gcflags=all=-pgoprofile=${profile}`] });
}

test('a hash function that is inlined: refused, and the reason is the profile', LONG, async () => {
  const path = await withProfile('runtime.nilinterhash');
  const refused = planProbes(openGoBinary(path)).functions.filter((fn) => fn.outcome === 'refused');
  const reason = 'its compiler has inlined a hash function into it, as it does for a profile (PGO)';
  assert.deepEqual(
    refused.map((fn) => [fn.name, fn.reason]),
    ['runtime.mapaccess1', 'runtime.mapaccess2'].map((name) => [name, reason]),
  );
  const { stdout } = await mapscope(['scan', path]);
  assert.match(stdout, /mapaccess1: cannot be observed: its compiler has inlined .* \(PGO\)$/m);
});

test('a hash function that is called directly beside the others: every lookup agrees', LONG, async () => {
  const run = await runOracle(await withProfile('runtime.strhash'), ['-seed', '8', '-lookups', '20000']);
  assert.deepEqual(run.snapshot.refused, []);
  assert.deepEqual(differences(run), []);
});
