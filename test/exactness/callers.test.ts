// The call site of a lookup is the user's line, behind however many frames of package reflect.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { addon } from '../../src/kernel/addon.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { Observation } from '../../src/observe/observation.ts';
import { endOf } from '../support/accounts.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { opened } from '../support/opened.ts';

const DIR = join(import.meta.dirname, '../services/nested');
const LONG = { timeout: 120_000 };

/** Observes every lookup of a run. */
async function observe(version: string, depth: number, times: number): Promise<Snapshot> {
  const path = await buildGo({ dir: DIR, version });
  const args = [path, String(depth), String(times)];
  const pid = addon.spawnStopped({ file: path, args, env: [] });
  const observation = await Observation.start({ ...opened(pid), mode: 'all', budget: 1 });
  addon.resume(pid);
  const { exitCode } = await addon.waitExit(pid);
  const snapshot = await endOf(observation);
  assert.equal(exitCode, 0);
  return snapshot;
}

/** The number of the line of the program that ends with a comment. */
function lineWith(comment: string): number {
  const lines = readFileSync(join(DIR, 'main.go'), 'utf8').split('\n');
  return 1 + lines.findIndex((line) => line.endsWith(`// ${comment}`));
}

/** Lookups in maps of the program's types, by the call sites that they are said to have. */
function lookupsBySite({ callSites }: Snapshot): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { type, callSite, lookups } of callSites) {
    if (['main.tree', 'map[string]int', 'map[string]int8'].includes(type)) {
      const site = `${type} ${callSite.function}:${callSite.line}`;
      found[site] = (found[site] ?? 0) + lookups;
    }
  }
  return found;
}

const TREES = `main.tree main.compareTrees:${lineWith('trees')}`;
const LISTS = `map[string]int main.compareLists:${lineWith('lists')}`;
const OWN = `map[string]int8 main.descend:${lineWith('descend')}`;

/** Up to Go 1.20 reflect.DeepEqual also looks each key up in the map that it has the key from. */
const LOOKS_TWICE = ['1.17.13', '1.20.14'];

for (const version of [...LOOKS_TWICE, '1.23.12', 'local', '1.27.4']) {
  const perKey = LOOKS_TWICE.includes(version) ? 2 : 1;
  for (const depth of [1, 4, 20, 200]) {
    test(`Go ${version}: values nested ${depth} deep`, LONG, async () => {
      const snapshot = await observe(version, depth, 10);
      assert.deepEqual(lookupsBySite(snapshot), {
        [TREES]: 10 * perKey * (2 * depth - 1),
        [LISTS]: 10 * perKey * 2 * depth,
        [OWN]: 10,
      });
      const lost = [snapshot.unreadable, snapshot.dropped].flatMap((reasons) => Object.values(reasons));
      assert.ok(
        lost.every((n) => n === 0),
        JSON.stringify(snapshot.dropped),
      );
    });
  }
}

test(
  'a lookup behind more frames than a hit may walk over is counted as that, and named by nobody',
  LONG,
  async () => {
    const depth = 2500;
    const snapshot = await observe('local', depth, 1);
    const { [TREES]: trees = 0, [LISTS]: lists = 0, ...others } = lookupsBySite(snapshot);
    assert.deepEqual(others, { [OWN]: 1 });
    const { too_much_work: dropped = 0 } = snapshot.dropped;
    assert.ok(trees > 1000 && lists > 1000, `${trees}, ${lists}`);
    assert.equal(trees + lists + dropped, 4 * depth - 1);
  },
);
