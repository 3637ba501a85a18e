// Plugins (-buildmode=plugin): images of their own, with types of which the process uses the program's where both have them.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { openGoBinary } from '../../src/gobinary/index.ts';
import type { Summary } from '../../src/report/summary/schema.ts';
import { MappedFiles } from '../../src/target/mapped-files.ts';
import { Verification } from '../../src/verify/verification.ts';
import { commandLine } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { until } from '../support/until.ts';
import { attach, reportsIn } from './attached.ts';
import { Host } from './host.ts';

const LONG = { timeout: 180_000 };
const DIR = join(import.meta.dirname, '../services/plugins');

async function build(version: string, flags: readonly string[] = []) {
  const program = await buildGo({ dir: DIR, version, flags });
  const plugin = await buildGo({
    dir: DIR,
    version,
    package: './part',
    flags: ['-buildmode=plugin', ...flags],
  });
  return { program, plugin };
}

async function start(context: TestContext, version = 'local', flags: readonly string[] = []) {
  const { program, plugin } = await build(version, flags);
  return { plugin, program, host: await Host.start(context, [program, plugin]) };
}

/** Lookups of one function of the plugin: by map type, hits and misses. */
function lookupsOf({ callSites }: Summary, name: string): Record<string, readonly [number, number]> {
  const found: Record<string, readonly [number, number]> = {};
  for (const site of callSites.filter(({ function: fn }) => fn.endsWith(`.${name}`))) {
    const [hits, misses] = found[site.type] ?? [0, 0];
    found[site.type] = [hits + site.hits, misses + site.misses];
  }
  return found;
}

/** About so many hits for each miss. */
function assertRatio([hits, misses]: readonly [number, number] = [0, 0], ratio: number): void {
  assert.ok(hits + misses > 0, 'there are lookups');
  assert.ok(Math.abs(hits - ratio * misses) <= 0.02 * hits + 50, `${hits} hits, ${misses} misses`);
}

/** Every lookup of the plugin was decoded for certain, and each is of its line and type. */
function assertPlugin(summary: Summary): void {
  const { observed } = summary;
  assert.equal(observed.unreadable + observed.dropped, 0);
  assert.deepEqual([observed.inexact, observed.inexactByReason], [0, {}], JSON.stringify(summary.callSites));
  const [parts, shared] = [lookupsOf(summary, 'partGet'), lookupsOf(summary, 'sharedGet')];
  assert.deepEqual(Object.keys(parts), ['map[main.partKey]string']);
  assertRatio(parts['map[main.partKey]string'], 1);
  assert.deepEqual(Object.keys(shared), ['map[string]int']);
  assertRatio(shared['map[string]int'], 1);
  const mixed = lookupsOf(summary, 'interfaceGet');
  assert.deepEqual(Object.keys(mixed), ['map[interface {}]int']);
  assertRatio(mixed['map[interface {}]int'], 3);
  const reflected = lookupsOf(summary, 'reflectGet');
  assert.deepEqual(Object.keys(reflected), ['map[string]int']);
  const { 'map[string]int': [hits, misses] = [0, 1] } = reflected;
  assert.ok(hits > 0 && misses === 0);
}

for (const mode of ['all', 'windows']) {
  test(`mode ${mode}: a plugin is observed beside the program`, LONG, async (context) => {
    const { program, plugin, host } = await start(context);
    const observed = await attach(host.pid, mode);
    await wait(5000);
    const { reports, stderr } = await observed.stop();
    assert.equal(stderr, '');
    assert.deepEqual(
      reports.map(({ target }) => target.image ?? target.exe),
      [program, plugin],
    );
    reports.slice(1).forEach(assertPlugin);
    assert.ok(host.isAlive);
  });
}

for (const [version, flags] of [
  ['1.23.12', []],
  ['1.27.4', []],
  ['local', ['-ldflags=-s -w']],
] as const) {
  test(`Go ${version} ${flags.join(' ')}: a plugin`, LONG, async (context) => {
    const { host } = await start(context, version, flags);
    const observed = await attach(host.pid, 'all');
    await wait(1000);
    const { reports } = await observed.stop();
    assert.equal(reports.length, 2);
    reports.slice(1).forEach(assertPlugin);
    assert.ok(host.isAlive);
  });

  test(
    `Go ${version} ${flags.join(' ')}: what is decoded of a plugin is what its functions return`,
    LONG,
    async (context) => {
      const { plugin, host } = await start(context, version, flags);
      const executable = new MappedFiles(host.pid).all().find(({ name }) => name === plugin);
      assert.ok(executable);
      const binary = openGoBinary(executable.path);
      const verification = await Verification.start({ pid: host.pid, executable, binary, lookups: 500 });
      const { functions } = await verification.finish(AbortSignal.timeout(10_000));
      assert.equal(
        functions.reduce((sum, { disagreed }) => sum + disagreed, 0),
        0,
        JSON.stringify(functions),
      );
      assert.ok(functions.filter(({ checked }) => checked >= 500).length >= 2, JSON.stringify(functions));
      assert.ok(host.isAlive);
    },
  );
}

test(
  'a plugin that does not say of which Go it is, as up to 1.20, is named and not observed',
  LONG,
  async (context) => {
    const { program, plugin, host } = await start(context, '1.20.14');
    const observed = await attach(host.pid, 'all');
    const { reports, stderr } = await observed.stop();
    assert.deepEqual(
      reports.map(({ target }) => target.exe),
      [program],
    );
    assert.ok(stderr.includes(`${plugin}, mapped by process ${host.pid}, cannot be observed: `), stderr);
    assert.match(stderr, /its Go version cannot be determined/);
    assert.ok(host.isAlive);
  },
);

for (const mode of ['all', 'windows']) {
  test(`mode ${mode}: a plugin that is opened while the program is observed`, LONG, async (context) => {
    const { program, plugin } = await build('local');
    const host = await Host.start(context, [program, plugin, 'later']);
    const observed = await attach(host.pid, mode);
    host.tell('open it');
    await until(() => observed.said.includes(`has mapped ${plugin}, which is observed`), 'it is observed');
    await wait(5000);
    const { reports } = await observed.stop();
    assert.deepEqual(
      reports.map(({ target }) => target.image ?? target.exe),
      [program, plugin],
    );
    reports.slice(1).forEach(assertPlugin);
    assert.ok(host.isAlive);
  });
}

test('a plugin of a program that was started', LONG, async (context) => {
  const { program, plugin } = await build('local');
  const args = ['run', '--mode', 'all', '--format', 'json', '--', program, plugin, 'later'];
  const [file, ...words] = commandLine(...args);
  const child = spawn(file, words, { stdio: ['pipe', 'pipe', 'pipe'] });
  context.after(() => void child.kill('SIGKILL'));
  const [output, ended] = [text(child.stdout), once(child, 'close')];
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    said += piece;
  });
  child.stdin.write('open it\n');
  await until(() => said.includes(`has mapped ${plugin}, which is observed`), 'it is observed');
  await wait(1000);
  child.kill('SIGINT');
  await ended;
  const document = (await output).replace(/^ready\n/, '');
  const [host, part, ...others] = reportsIn(document);
  assert.deepEqual([host?.target.exe, part?.target.image, others], [program, plugin, []]);
  assertPlugin(part as Summary);
});
