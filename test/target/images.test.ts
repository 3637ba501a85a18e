// Go where it is not the executable: libraries in programs of other languages, a dynamic loader, a process without its main thread.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { Summary } from '../../src/report/summary/schema.ts';
import { hasLostMainThread, processOf } from '../../src/target/process.ts';
import { mapscope } from '../support/command.ts';
import { until } from '../support/until.ts';
import { attach as observe, reportsIn } from './attached.ts';
import { buildExecutes, Executes } from './executes.ts';
import { buildLibrary, buildPie, Host, OTHER_LIBRARY } from './host.ts';

const LONG = { timeout: 180_000 };
const LOADER = '/lib64/ld-linux-x86-64.so.2';

async function report(pid: number, mode: string, ...options: string[]) {
  const args = ['attach', '--pid', String(pid), '--mode', mode, '--budget', '50%', '--format', 'json'];
  const { status, stdout, stderr } = await mapscope([...args, ...options]);
  assert.equal(status, 0, stderr);
  return { summaries: reportsIn(stdout), stderr };
}

/** Of three lookups of the library one is a miss, and nothing is lost. */
function assertTrue({ observed, callSites }: Summary): void {
  assert.ok(observed.lookups > 0);
  assert.equal(observed.unreadable + observed.dropped, 0);
  const own = callSites.filter((site) => site.function === 'main.get');
  const [hits = 0, misses = 0] = (['hits', 'misses'] as const).map((key) =>
    own.reduce((sum, site) => sum + site[key], 0),
  );
  assert.ok(hits + misses > 0, JSON.stringify(callSites));
  assert.ok(Math.abs(hits - 2 * misses) <= 0.02 * hits + 50, `${hits} hits, ${misses} misses`);
  assert.ok(own.every((site) => site.type === 'map[string]int'));
}

for (const mode of ['all', 'windows']) {
  test(`mode ${mode}: a Go library in a program in C`, LONG, async (context) => {
    const library = await buildLibrary();
    const host = await Host.ofLibraries(context, [library]);
    const { summaries } = await report(host.pid, mode, '--duration', '3s');
    assert.deepEqual(
      summaries.map(({ target }) => target.image),
      [library],
    );
    assert.match(summaries[0]?.target.exe ?? '', /\/host$/);
    summaries.forEach(assertTrue);
    assert.ok(host.isAlive);
  });

  test(`mode ${mode}: two Go libraries in a program in C, each with a report`, LONG, async (context) => {
    const libraries = [await buildLibrary(), await buildLibrary('local', OTHER_LIBRARY)];
    const host = await Host.ofLibraries(context, libraries);
    const { summaries } = await report(host.pid, mode, '--duration', '4s');
    assert.deepEqual(summaries.map(({ target }) => target.image).sort(), libraries.sort());
    summaries.forEach(assertTrue);
    assert.ok(host.isAlive);
  });

  test(`mode ${mode}: a program that a dynamic loader has loaded`, LONG, async (context) => {
    const program = await buildPie();
    const host = await Host.start(context, [LOADER, program]);
    const { summaries } = await report(host.pid, mode, '--duration', '3s');
    assert.deepEqual(
      summaries.map(({ target }) => target.image),
      [program],
    );
    summaries.forEach(assertTrue);
    assert.ok(host.isAlive);
  });
}

test('libraries of older Go', LONG, async (context) => {
  for (const version of ['1.20.14', '1.23.12']) {
    const host = await Host.ofLibraries(context, [await buildLibrary(version)]);
    const { summaries } = await report(host.pid, 'all', '--duration', '1s');
    assert.equal(summaries.length, 1);
    summaries.forEach(assertTrue);
    assert.ok(host.isAlive);
  }
});

test('verify and doctor find the library, too', LONG, async (context) => {
  const host = await Host.ofLibraries(context, [await buildLibrary()]);
  const pid = ['--pid', String(host.pid)];
  const { status, stdout, stderr } = await mapscope([
    'verify',
    ...pid,
    '--format',
    'json',
    '--duration',
    '20s',
  ]);
  assert.equal(status, 0, stderr);
  const { functions } = JSON.parse(stdout);
  const checked = functions.map((fn: { agreed: number }) => fn.agreed);
  assert.ok(Math.max(...checked) >= 1000, stdout);
  const doctor = await mapscope(['doctor', ...pid]);
  assert.match(doctor.stdout, /ok +target .*go1\./);
  assert.ok(host.isAlive);
});

/** A host whose main thread has ended. */
async function withoutMainThread(context: TestContext): Promise<Host> {
  const host = await Host.ofLibraries(context, [await buildLibrary()]);
  host.leaveMainThread();
  await until(() => hasLostMainThread(host.pid), 'the main thread ends');
  return host;
}

test('mode all: a process whose main thread has ended before', LONG, async (context) => {
  const host = await withoutMainThread(context);
  const { summaries } = await report(host.pid, 'all', '--duration', '3s');
  summaries.forEach(assertTrue);
  assert.ok(host.isAlive);
});

test('windows on a process whose main thread has ended before', LONG, async (context) => {
  const host = await withoutMainThread(context);
  const { summaries, stderr } = await report(host.pid, 'windows', '--duration', '5s');
  assert.equal(stderr, '');
  assert.equal(summaries.length, 1);
  assert.ok((summaries[0]?.observed.windows ?? 0) > 0);
  assert.ok(host.isAlive);
});

for (const mode of ['all', 'windows']) {
  test(`mode ${mode}: the main thread ends while the process is observed`, LONG, async (context) => {
    const host = await Host.ofLibraries(context, [await buildLibrary()]);
    const observed = await observe(host.pid, mode);
    await wait(3000);
    host.leaveMainThread();
    await until(() => hasLostMainThread(host.pid), 'the main thread ends');
    await wait(3000);
    assert.ok(observed.isRunning, 'it goes on');
    const { reports, stderr } = await observed.stop();
    assertTrue(reports[0] as Summary);
    if (mode === 'windows') {
      assert.match(stderr, /has lost its main thread, and is observed from here on/);
      assert.equal(reports.length, 2);
    }
    assert.ok(host.isAlive);
  });
}

test('the id of a thread means its process, and that is said', LONG, async (context) => {
  const service = await Executes.start(context, await buildExecutes());
  const threads = readdirSync(`/proc/${service.pid}/task`).map(Number);
  const thread = threads.find((id) => id !== service.pid) ?? 0;
  assert.equal(processOf(thread), service.pid);
  assert.equal(processOf(service.pid), service.pid);
  assert.match(readFileSync(`/proc/${thread}/status`, 'utf8'), new RegExp(`^Tgid:\\s*${service.pid}$`, 'm'));
  const { summaries, stderr } = await report(thread, 'all', '--duration', '1s');
  assert.equal(
    stderr,
    `mapscope: ${thread} is a thread of process ${service.pid}, which is taken instead.\n`,
  );
  assert.deepEqual(
    summaries.map(({ target }) => target.pid),
    [service.pid],
  );
  for (const command of [['verify', '--lookups', '10'], ['doctor']]) {
    const result = await mapscope([...command, '--pid', String(thread)]);
    assert.equal(result.status, 0, result.stderr);
    assert.match(result.stderr, /is a thread of process/);
  }
  assert.equal(await service.wrongLookups(), 0);
});
