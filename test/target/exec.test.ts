// A target that executes another program, or itself again: noticed within a second, and observed from there on.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Summary } from '../../src/report/summary/schema.ts';
import { ProcessImage } from '../../src/target/image.ts';
import { attach, Command } from './attached.ts';
import { verified } from './counted.ts';
import { buildExecutes, Executes } from './executes.ts';

const LONG = { timeout: 120_000 };
const OTHER = ['-gcflags=all=-N -l'];

/** Hits after which there is something to compare. */
const ENOUGH = 1000;
const ON_FROM_HERE = /is observed from here on/;

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
  const options = ['--duration', '100s', '--lookups', '1000000000', '--format', 'json'];
  const command = new Command(['verify', '--pid', String(service.pid), ...options]);
  context.after(() => command.kill('SIGKILL'));
  // It looks at what was verified fifty times a second: by then more than once.
  await command.until(() => verified(command.pid) > 10_000, 'lookups are verified');
  await service.execute(path, 'thread');
  const { status, stdout } = await command.ended;
  assert.equal(status, 0, command.said);
  assert.match(command.said, /has executed another program: verified is what came before/);
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
      assert.deepEqual([image.hasChanged(), image.looksChanged()], [false, false]);
      const observed = await attach(service.pid, mode);
      await observed.sees(ENOUGH);
      await service.execute(second, by);
      assert.deepEqual([image.hasChanged(), image.looksChanged()], [true, true]);
      await observed.says(ON_FROM_HERE);
      await observed.sees(ENOUGH);
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
      await observed.sees(ENOUGH);
      assert.equal(image.hasChanged(), false);
      await service.execute(path);
      assert.deepEqual(readFileSync(`/proc/${service.pid}/auxv`), auxiliary, 'which is the same');
      assert.equal(image.hasChanged(), true);
      await observed.says(ON_FROM_HERE);
      await observed.sees(ENOUGH);
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
      await observed.sees(ENOUGH);
      service.become('/bin/sleep', '60');
      await observed.says(/is not a Go/);
      const { reports, stderr } = await observed.ended();
      assert.match(
        stderr,
        /has executed another program\. Process \d+ \(.*sleep\) cannot be observed: .* is not a Go/,
      );
      assert.equal(reports.length, 1);
      reports.forEach(assertTrue);
    },
  );
}
