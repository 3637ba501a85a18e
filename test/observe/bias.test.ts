// What windows see must be distributed like all that there is to be seen, also where lookups are rare.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { ObservationMode, Snapshot } from '../../src/model/snapshot.ts';
import { Observation } from '../../src/observe/observation.ts';
import { endOf } from '../support/accounts.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { opened } from '../support/opened.ts';
import { homogeneity } from './chisquare.ts';

const MIXED = join(import.meta.dirname, '../services/mixed');
const PATIENCE_MILLIS = 120_000;

/** Starts the service. Its maps have hash seeds of their own: only one and the same process can be compared. */
async function start(t: TestContext, version: string, burst: number): Promise<{ pid: number; path: string }> {
  const path = await buildGo({ dir: MIXED, version });
  const child = spawn(path, ['-seed', '7', '-burst', `${burst}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return { pid: child.pid ?? assert.fail(), path };
}

/** Observes the service until so many lookups have been counted. */
async function observe({ pid }: { pid: number }, mode: ObservationMode, lookups: number): Promise<Snapshot> {
  // A larger share than by default, for the test to end soon.
  const observation = await Observation.start({ ...opened(pid), mode, budget: 0.3 });
  const end = performance.now() + PATIENCE_MILLIS;
  while ((await observation.snapshot()).observed < lookups && performance.now() < end) {
    await wait(100);
  }
  const snapshot = await endOf(observation);
  assert.ok(snapshot.observed >= lookups, `${snapshot.observed} lookups`);
  return snapshot;
}

/** How many lookups there were of each call site, result and value of one of the distributions. */
function categories(
  { callSites }: Snapshot,
  of: 'probeLength' | 'keyComparisons' | 'homePosition',
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { callSite, hit, ...stats } of callSites) {
    stats[of].counts.forEach((count, bucket) => {
      counts.set(`${callSite.function} ${hit} ${bucket}`, count);
    });
  }
  return counts;
}

for (const version of ['local', '1.23.12']) {
  for (const burst of [500, 20_000]) {
    test(`Go ${version}, bursts of ${burst}: windows see what mode all sees`, async (t) => {
      const service = await start(t, version, burst);
      const all = await observe(service, 'all', 200_000);
      const windows = await observe(service, 'windows', 20_000);
      t.diagnostic(`${windows.windows} windows, ${windows.overhead.fullWindows} of them full`);
      for (const quantity of ['probeLength', 'keyComparisons', 'homePosition'] as const) {
        const { statistic, degrees, limit, cells } = homogeneity(
          categories(all, quantity),
          categories(windows, quantity),
        );
        t.diagnostic(
          `${quantity}: ${statistic.toFixed(1)} with ${degrees} degrees of freedom, limit ${limit.toFixed(1)}`,
        );
        assert.ok(cells >= 8, 'there is something to compare');
        assert.ok(statistic < limit, `${quantity}: ${statistic} with ${degrees} degrees of freedom`);
      }
      const rare = windows.callSites.filter(({ callSite }) => callSite.function === 'main.rare');
      assert.ok(rare.length > 0, 'a call site with a thousandth of the lookups was seen');
      // Shares by estimate are those of the counts.
      const share = (count: (site: Snapshot['callSites'][number]) => number) =>
        windows.callSites
          .filter((s) => s.callSite.function === 'main.warm')
          .reduce((sum, s) => sum + count(s), 0) / windows.callSites.reduce((sum, s) => sum + count(s), 0);
      const [counted, estimated] = [share((s) => s.lookups), share((s) => s.estimatedLookups)];
      assert.ok(Math.abs(estimated / counted - 1) < 0.2, `${estimated} ${counted}`);
    });
  }
}

test('the comparison itself would notice a bias', () => {
  const counts = (rare: number) =>
    new Map([
      ['hot', 90_000],
      ['warm', 9000],
      ['rare', rare],
    ]);
  assert.ok(homogeneity(counts(1000), counts(1000)).statistic === 0);
  const { statistic, limit } = homogeneity(counts(1000), counts(1350));
  assert.ok(statistic > limit);
});
