// Whatever a full table cannot keep is counted, and the report says so.

import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { totalOf, unaccounted } from '../../src/model/accounts.ts';
import type { TableName } from '../../src/model/full-tables.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import type { ObservationOptions } from '../../src/observe/assemble.ts';
import { Observation } from '../../src/observe/observation.ts';
import { SiteBudget } from '../../src/observe/sites/site-budget.ts';
import { summarize } from '../../src/report/summary/summarize.ts';
import { remarks } from '../../src/report/table/text.ts';
import { buildSeriesService, startSeriesService } from '../bench/seriesservice.ts';
import { buildTypesService, startTypesService } from '../bench/typesservice.ts';
import { TARGET } from '../model/fixtures.ts';
import { opened } from '../support/opened.ts';
import { until } from '../support/until.ts';

const LONG = { timeout: 300_000 };

/** Observes a service until one of its tables is full. @returns the last snapshot */
async function untilFull(
  context: TestContext,
  service: ChildProcess,
  table: TableName,
  options: Partial<ObservationOptions> = {},
): Promise<Snapshot> {
  context.after(() => service.kill('SIGKILL'));
  const observation = await Observation.start({
    ...opened(service.pid ?? 0),
    mode: 'all',
    budget: 0.01,
    ...options,
  });
  await until(
    async () => ((await observation.snapshot()).fullTables[table] ?? 0) > 0,
    () => `${table} is not full`,
  );
  return await observation.stop();
}

const lookups = ({ callSites, others }: Snapshot) =>
  [...callSites, ...others].reduce((sum, one) => sum + one.lookups, 0);

/** What the report says of a table that is full. */
function said(snapshot: Snapshot): string {
  return remarks(summarize(TARGET, 'all', snapshot))
    .map(({ text }) => text)
    .join('\n');
}

test('more call sites than are kept apart', LONG, async (context) => {
  const service = await startSeriesService(await buildSeriesService(), 400, 0.3);
  const last = await untilFull(context, service, 'call_sites', { siteBudget: new SiteBudget(50) });
  assert.equal(new Set(last.callSites.map(({ callSite }) => callSite.function)).size, 50);
  assert.ok(last.otherSites > 0);
  assert.equal(lookups(last), last.observed);
  assert.equal(unaccounted(last), 0);
  assert.equal(
    last.fullTables.call_sites,
    last.others.reduce((sum, one) => sum + one.lookups, 0),
  );
  assert.match(said(last), /lookups of \d+ call sites are in the row \(others\)/);
});

test('more names than the kernel tells apart: only the names are lost', LONG, async (context) => {
  const service = await startSeriesService(await buildSeriesService(), 20_000, 0.6);
  const last = await untilFull(context, service, 'kernel_call_sites');
  assert.equal(lookups(last), last.observed);
  assert.equal(unaccounted(last), 0);
  assert.equal(totalOf(last.dropped), 0);
  const [fast64] = last.functions.filter(({ name }) => name === 'mapaccess1_fast64');
  assert.ok(fast64 !== undefined && fast64.hits > 0 && fast64.misses > 0);
  assert.match(said(last), /the kernel had no room to tell apart/);
});

test('more candidates for exemplars than there is room for', LONG, async (context) => {
  const service = await startSeriesService(await buildSeriesService(), 20_000, 0.6);
  const last = await untilFull(context, service, 'exemplars', { exemplars: { withoutTrace: true } });
  assert.match(said(last), /candidates? for exemplars had no room in the kernel/);
});

test('more call sites with spikes than there is room for', LONG, async (context) => {
  const service = await startSeriesService(await buildSeriesService(), 20_000, 0.6);
  const last = await untilFull(context, service, 'spike_sites', { spikes: { threshold: { limit: 1 } } });
  assert.ok((last.spikes?.suppressed.no_memory ?? 0) > 0);
  assert.match(said(last), /spikes? were not recorded/);
});

test('more map types made at run time than there is room for', LONG, async (context) => {
  const service = await startTypesService(await buildTypesService(1), { linked: 1, made: 1500 });
  const last = await untilFull(context, service, 'map_types');
  assert.equal(lookups(last), last.observed);
  assert.match(said(last), /of types made at run time that there was no room to name/);
});
