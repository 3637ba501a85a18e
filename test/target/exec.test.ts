// A target that executes another program, or itself again: noticed within a second, and observed from there on.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { Summary } from '../../src/report/summary/schema.ts';
import { ProcessImage } from '../../src/target/image.ts';
import { mapscope } from '../support/command.ts';
import { until } from '../support/until.ts';
import { attach, hasBreakpoints } from './attached.ts';
import { buildExecutes, Executes } from './executes.ts';

const LONG = { timeout: 120_000 };
const OTHER = ['-gcflags=all=-N -l'];

/** Of three lookups of the service one is a miss; the keys of a small map are told apart by the image's own hash key. */
function assertTrue({ callSites, observed }: Summary): void {
  assert.ok(observed.lookups > 0);
  const own = callSites.filter((site) => site.function === 'main.get');
  const hits = own.reduce((sum, site) => sum + site.hits, 0);
  const misses = own.reduce((sum, site) => sum + site.misses, 0);
  assert.ok(hits + misses > 0);
  // At the ends of a window or of the observation a round may be cut.
  assert.ok(Math.abs(hits - 2 * misses) <= 0.02 * hits + 200, `${hits} hits, ${misses} misses`);
}

test('verify ends with what came before another program', LONG, async (context) => {
  const path = await buildExecutes();
  const service = await Executes.start(context, path);
  const verified = mapscope([
    'verify',
    '--pid',
    String(service.pid),
    '--lookups',
    '1000000000',
    '--format',
    'json',
  ]);
  await until(() => hasBreakpoints(service.pid), 'breakpoints are in');
  await wait(500);
  await service.execute(path, 'thread');
  const { status, stdout, stderr } = await verified;
  assert.equal(status, 0, stderr);
  assert.match(stderr, /has executed another program: verified is what came before/);
  const { functions } = JSON.parse(stdout);
  const sum = (key: string) =>
    functions.reduce((all: number, fn: Record<string, number>) => all + (fn[key] ?? 0), 0);
  assert.ok(sum('agreed') > 0);
  assert.equal(sum('disagreed'), 0);
  assert.equal(await service.wrongLookups(), 0);
});

for (const mode of ['all', 'windows']) {
  for (const [by, what] of [
    ['exec', 'the same file'],
    ['thread', 'the same file'],
    ['exec', 'another file'],
    ['thread', 'another file'],
  ] as const) {
    const thread = by === 'thread' ? 'another thread' : 'the main thread';
    test(`mode ${mode}: ${thread} executes ${what}`, LONG, async (context) => {
      const first = await buildExecutes();
      const second = what === 'another file' ? await buildExecutes('local', OTHER) : first;
      const service = await Executes.start(context, first);
      const image = new ProcessImage(service.pid);
      assert.equal(image.hasChanged(), false);
      const observed = await attach(service.pid, mode);
      await wait(3000);
      await service.execute(second, by);
      assert.equal(image.hasChanged(), true);
      await wait(4000);
      assert.equal(await service.wrongLookups(), 0);
      const { reports, stderr } = await observed.stop();
      assert.match(stderr, new RegExp(`Process ${service.pid} has executed ${second}, which is observed`));
      assert.deepEqual(
        reports.map(({ target }) => target.exe),
        [first, second],
      );
      for (const report of reports) {
        assertTrue(report);
      }
    });
  }

  test(
    `mode ${mode}: without address space randomization the same file is another image`,
    LONG,
    async (context) => {
      const path = await buildExecutes();
      const service = await Executes.start(context, 'setarch', ['-R', path]);
      const auxiliary = readFileSync(`/proc/${service.pid}/auxv`);
      const image = new ProcessImage(service.pid);
      const observed = await attach(service.pid, mode);
      await wait(3000);
      assert.equal(image.hasChanged(), false);
      await service.execute(path);
      assert.deepEqual(readFileSync(`/proc/${service.pid}/auxv`), auxiliary, 'which is the same');
      assert.equal(image.hasChanged(), true);
      await wait(3000);
      const { reports, stderr } = await observed.stop();
      assert.match(stderr, /has executed .*, which is observed/);
      assert.equal(reports.length, 2);
      reports.forEach(assertTrue);
    },
  );

  test(
    `mode ${mode}: a program that is none of Go's ends the observation with a sentence`,
    LONG,
    async (context) => {
      const service = await Executes.start(context, await buildExecutes());
      const observed = await attach(service.pid, mode);
      await wait(3000);
      service.become('/bin/sleep', '60');
      await wait(2500);
      const { reports, stderr } = await observed.stop().catch((error) => assert.fail(error));
      assert.match(
        stderr,
        /has executed another program\. Process \d+ \(.*sleep\) cannot be observed: .* is not a Go/,
      );
      assert.equal(reports.length, 1);
      reports.forEach(assertTrue);
    },
  );
}
