import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addon } from '../../src/kernel/addon.ts';
import { deferredAndMatched, unaccounted } from '../../src/model/accounts.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { Observation } from '../../src/observe/observation.ts';
import { type ProbePlan, type ProbeSite, planProbes } from '../../src/plan/lookups/plan.ts';
import { summarize } from '../../src/report/summary/summarize.ts';
import { summaryTable } from '../../src/report/table/table.ts';
import { TARGET } from '../model/fixtures.ts';
import { opened } from '../support/opened.ts';
import { buildOracle, type Cell } from './cells.ts';

const LONG = { timeout: 300_000 };
const CLASSIC: Cell = { version: '1.23.12', flavor: 'default' };
const SWISS: Cell = { version: 'local', flavor: 'default' };

/** Observes an oracle with sites that are wrong on purpose. */
async function observedWith(
  cell: Cell,
  edit: (sites: readonly ProbeSite[]) => ProbeSite[],
): Promise<Snapshot> {
  const path = await buildOracle(cell);
  const args = [path, '-seed', '6', '-lookups', '20000'];
  const pid = addon.spawnStopped({ file: path, args, env: [] });
  const target = opened(pid);
  const planned = planProbes(target.binary);
  const plan: ProbePlan = { ...planned, sites: edit(planned.sites) };
  const observation = await Observation.start({ ...target, plan, mode: 'all', budget: 1 });
  addon.resume(pid);
  await addon.waitExit(pid);
  const snapshot = await observation.stop();
  assert.equal(unaccounted(snapshot), 0);
  return snapshot;
}

test('lookups that are deferred are those that a later site sees', LONG, async () => {
  const { deferred, resumed } = await observedWith(CLASSIC, (sites) => [...sites]);
  assert.ok(deferred > 0);
  assert.equal(resumed, deferred);
});

test('a later site that does not see what was deferred: the report says so', LONG, async () => {
  const snapshot = await observedWith(CLASSIC, (sites) => sites.filter((site) => !site.resumes));
  assert.ok(snapshot.deferred > 0);
  assert.equal(deferredAndMatched(snapshot), 0);
  const table = summaryTable(summarize(TARGET, 'all', snapshot));
  const lookups = snapshot.deferred.toLocaleString('en-US');
  assert.match(
    table,
    new RegExp(`^${lookups} lookups went on to a probe site that did not see them\\.$`, 'm'),
  );
  assert.doesNotMatch(table, /Every lookup seen was decoded/);
});

for (const cell of [CLASSIC, SWISS]) {
  test(
    `${cell.version}: lookups in hashed maps at sites without a hash are lost, and the report says so`,
    LONG,
    async () => {
      const snapshot = await observedWith(cell, (sites) =>
        sites.map((site) => ({ ...site, hasHash: false, hash: undefined, resumes: false })),
      );
      assert.ok((snapshot.dropped.no_hash ?? 0) > 1000);
      const table = summaryTable(summarize(TARGET, 'all', snapshot));
      assert.match(
        table,
        /lookups could not be recorded \(no hash [\d,]+\) and are not in these numbers\.$/m,
      );
      assert.doesNotMatch(table, /Every lookup seen was decoded/);
    },
  );
}

test('hits without an outcome are said', LONG, async () => {
  const snapshot = await observedWith(SWISS, (sites) => [...sites]);
  const table = summaryTable(summarize(TARGET, 'all', { ...snapshot, hits: snapshot.hits + 5 }));
  assert.match(table, /^What became of 5 hits of probe sites is not known; these numbers may be wrong\.$/m);
});
