// The kernel's table is small here: names that are hardly used any more make room for those that come later.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { totalOf, unaccounted } from '../../src/model/accounts.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { Observation } from '../../src/observe/observation.ts';
import { SiteBudget } from '../../src/observe/sites/site-budget.ts';
import { AggregateRecycling } from '../../src/programs/aggregate-recycling.ts';
import { LookupProgram } from '../../src/programs/lookup-program.ts';
import { prepare } from '../../src/programs/preparation/preparation.ts';
import type { Aggregate } from '../../src/programs/readers/aggregate.ts';
import { AggregateReader } from '../../src/programs/readers/aggregates.ts';
import { readCounters } from '../../src/programs/readers/counters.ts';
import { CASES, LookupService } from '../bench/lookupservice.ts';
import { buildSeriesService, startSeriesService } from '../bench/seriesservice.ts';
import { mapped, opened } from '../support/opened.ts';
import { until } from '../support/until.ts';

const LONG = { timeout: 300_000 };

async function observe(
  context: TestContext,
  pid: number,
  names: number,
  sites: number,
): Promise<Observation> {
  const observation = await Observation.start({
    ...opened(pid),
    mode: 'all',
    budget: 0.01,
    maxCallSites: names,
    siteBudget: new SiteBudget(sites),
  });
  context.after(() => observation.stop().catch(() => {}));
  return observation;
}

/** All of it, kept apart or not. */
function checkTotals(snapshot: Snapshot): void {
  const all = [...snapshot.callSites, ...snapshot.others];
  assert.equal(
    all.reduce((sum, { lookups }) => sum + lookups, 0),
    snapshot.observed,
  );
  assert.equal(
    snapshot.functions.reduce((sum, { lookups }) => sum + lookups, 0),
    snapshot.observed,
  );
  assert.equal(totalOf(snapshot.dropped), 0);
}

test('names that are given up make room for others, although the table was full', LONG, async (context) => {
  const service = await LookupService.start();
  context.after(() => service.stop());
  const target = mapped(service.pid);
  const program = await LookupProgram.load({
    target,
    preparation: prepare(target.binary),
    maxCallSites: 2,
    cpus: 1,
  });
  context.after(() => program.close());
  const reader = new AggregateReader();
  const { kernel } = program;
  const recycling = new AggregateRecycling(kernel, reader, program.aggregates);
  await program.attach();
  const late = CASES.at(-1) ?? assert.fail('there are cases');
  for (const one of CASES) {
    await service.measure(one, 500);
  }
  const before = await reader.read(kernel);
  assert.ok(
    before.some(({ isOther, lookups }) => isOther && lookups >= 500),
    'the table is full',
  );

  const contents = await reader.contents(kernel);
  const names = [...contents.counts().keys()].filter(({ isOther }) => !isOther);
  await recycling.makeRoom(() => [names]);
  assert.equal(
    recycling.takeBack(contents, () => false),
    undefined,
    'not before all hits have ended',
  );
  await recycling.settle();
  const taken = recycling.takeBack(await reader.contents(kernel), () => false);
  assert.equal(taken?.gone.length, names.length);
  // As often as it takes: other lookups of the service want the same room.
  let has: Aggregate | undefined;
  for (let times = 1; has === undefined && times <= 20; times++) {
    await service.measure(late, 5000);
    has = (await reader.read(kernel)).find(({ isOther, lookups }) => !isOther && lookups >= 5000);
  }
  assert.ok(has !== undefined, 'a late one has a name');
  await program.detach();
  const all = await reader.read(kernel);
  const { hits, deferred, dropped } = await readCounters(kernel);
  assert.equal(totalOf(dropped), 0);
  assert.equal(
    all.reduce((sum, { lookups }) => sum + lookups, 0),
    hits - deferred,
    'what the names had counted stays counted',
  );
});

test('nothing is lost while names come and go', LONG, async (context) => {
  const service = await startSeriesService(await buildSeriesService(), 2000, 0.5);
  context.after(() => service.kill('SIGKILL'));
  const observation = await observe(context, service.pid ?? 0, 300, 50);
  let before = await observation.snapshot();
  let readings = 0;
  await until(
    async () => {
      const now = await observation.snapshot();
      checkTotals(now);
      for (const [i, fn] of now.functions.entries()) {
        assert.ok(fn.lookups >= (before.functions[i]?.lookups ?? 0), `${fn.name} counts down`);
        assert.ok(fn.estimatedLookups >= (before.functions[i]?.estimatedLookups ?? 0) - 1e-6);
      }
      readings += Number(now.observed > before.observed);
      before = now;
      return readings >= 20 && (now.fullTables.kernel_call_sites ?? 0) > 0;
    },
    () => `only ${readings} readings`,
  );
  const last = await observation.stop();
  checkTotals(last);
  assert.equal(unaccounted(last), 0);
});
