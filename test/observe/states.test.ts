import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { CallSiteStats } from '../../src/model/snapshot.ts';
import { Observation } from '../../src/observe/observation.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { opened } from '../support/opened.ts';

const LIMIT = { timeout: 120_000 };

for (const version of ['1.23.12', 'local']) {
  test(`Go ${version}: the state of the latest map and of the largest one`, LIMIT, async (t) => {
    const path = await buildGo({ dir: join(import.meta.dirname, '../services/states'), version });
    const child = spawn(path, { stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    const observation = await Observation.start({ ...opened(child.pid ?? 0), mode: 'all', budget: 0.01 });
    child.stdin.write('x');
    const isSwiss = version === 'local';
    const site = async (name: string): Promise<CallSiteStats | undefined> =>
      (await observation.snapshot()).callSites.find(({ callSite }) => callSite.function === `main.${name}`);
    const tombstones = new Set<number>();
    let churns = 0;
    while (churns < 50 || (isSwiss && tombstones.size < 3)) {
      const churning = await site('churning');
      churns = churning?.lookups ?? 0;
      if (churning !== undefined) {
        assert.equal(churning.latest.entries, 56);
        tombstones.add(churning.latest.tombstones);
        assert.equal(churning.largest.entries, 56);
        const { largestOfCycle, latest } = churning;
        // Lookups of the next cycle are counted while it is read: they are later than the cycle's.
        assert.ok(largestOfCycle.seenAt <= latest.seenAt, 'of maps that are as large the latest counts');
      }
      await delay(10);
    }
    const shrunken = (await site('shrunken')) ?? assert.fail('it was looked into');
    assert.equal(shrunken.largest.entries, 100_000);
    assert.equal(shrunken.latest.entries, 10);
    assert.equal(shrunken.largestOfCycle.entries, 10, 'since the snapshot before');
    assert.ok(isSwiss ? shrunken.largest.directory >= 128 : shrunken.largest.directory === 0);
    const many = (await site('one')) ?? assert.fail('they were looked into');
    assert.equal(many.lookups, 20_000);
    const { estimatedMaps } = many;
    assert.ok(estimatedMaps !== null && Math.abs(estimatedMaps / 20_000 - 1) < 4 * 0.046, `${estimatedMaps}`);
    assert.ok(many.mapsAtLeast > 500);
    await observation.stop();
  });
}
