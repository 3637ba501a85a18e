import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openGoBinary } from '../../src/gobinary/index.ts';
import { addon } from '../../src/kernel/addon.ts';
import { planProbes } from '../../src/plan/lookups/plan.ts';
import type { Summary } from '../../src/report/summary/schema.ts';
import { checkSummary } from '../support/accounts.ts';
import { mapscope, startCommand, summaryOf } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';

const folder = mkdtempSync(join(tmpdir(), 'mapscope-attach-'));
const running: ChildProcess[] = [];
after(() => {
  for (const child of running) {
    child.kill('SIGKILL');
  }
  rmSync(folder, { recursive: true, force: true });
});

let steady = '';
before(async () => {
  const dir = fileURLToPath(new URL('../services/steady', import.meta.url));
  // A name of its own, so that a glob finds these processes and no others.
  steady = join(folder, `steady-${process.pid}`);
  copyFileSync(await buildGo({ dir, version: 'local' }), steady);
});

/** Starts the steady service; it lives until it is stopped or the tests end. */
function start(rate: number): ChildProcess {
  const child = spawn(steady, ['-rate', String(rate), '-goroutines', '4'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.push(child);
  return child;
}

async function stop(child: ChildProcess): Promise<string> {
  const text: string[] = [];
  child.stdout?.on('data', (data) => text.push(String(data)));
  const ended = once(child, 'close');
  child.kill('SIGTERM');
  await ended;
  return text.join('');
}

/** Waits until a breakpoint is in the process's code. The program is not position independent. */
async function attached(child: ChildProcess): Promise<void> {
  const site = planProbes(openGoBinary(steady)).sites[0];
  assert.ok(site && child.pid);
  while (addon.readMemory(child.pid, BigInt(site.address), 1)[0] !== BREAKPOINT) {
    await delay(20);
  }
}

/** int3 */
const BREAKPOINT = 0xcc;

/** Some hundred lookups of a process that makes a thousand a second. */
const SOME_LOOKUPS_MILLIS = 300;

const ATTACH = ['attach', '--format', 'json', '--duration', '2s'];

test('attaches to a running process by its pid, and leaves it running', { timeout: 60_000 }, async () => {
  const child = start(20_000);
  const summary = await summaryOf([...ATTACH, '--mode', 'all', '--pid', String(child.pid)]);
  assert.ok(summary.observed.lookups > 10_000, `${summary.observed.lookups} lookups`);
  assert.equal(summary.observed.unreadable, 0);
  assert.ok(summary.callSites.some((site) => site.function.startsWith('main.')));
  assert.equal(child.exitCode, null);
  assert.match(await stop(child), /\d/, 'it still ends as it should');
});

test('windows see a part of the lookups, at a small cost', { timeout: 60_000 }, async () => {
  const child = start(0);
  const summary = await summaryOf([
    ...ATTACH,
    '--mode',
    'windows',
    '--budget',
    '20%',
    '--pid',
    String(child.pid),
  ]);
  assert.equal(summary.mode, 'windows');
  assert.ok(summary.observed.windows >= 2, `${summary.observed.windows} windows`);
  assert.ok(summary.observed.lookups > 50, `${summary.observed.lookups} lookups`);
  assert.ok(summary.observed.attachedSeconds < summary.observed.seconds / 2);
  await stop(child);
});

test('--exe finds every process of a program, and all are in one report', { timeout: 60_000 }, async () => {
  const children = [start(1000), start(1000)];
  const report = join(folder, 'all.json');
  const options = ['--duration', '1s', '--mode', 'all', '--format', 'json', '--output', report];
  const { status, stderr } = await mapscope(['attach', ...options, '--exe', `steady-${process.pid}`]);
  assert.equal(status, 0, stderr);
  const document: { schema: string; targets: Summary[] } = JSON.parse(readFileSync(report, 'utf8'));
  assert.equal(document.schema, 'mapscope/summaries/v1');
  assert.deepEqual(
    document.targets.map(({ target }) => target.pid).sort(),
    children.map(({ pid }) => pid).sort(),
  );
  for (const summary of document.targets) {
    checkSummary(summary);
  }
  for (const child of children) {
    await stop(child);
  }
});

test('a target that ends ends the observation', { timeout: 60_000 }, async () => {
  const child = start(1000);
  const observation = summaryOf(['attach', '--format', 'json', '--mode', 'all', '--pid', String(child.pid)]);
  await attached(child);
  await delay(SOME_LOOKUPS_MILLIS);
  await stop(child);
  const summary = await observation;
  assert.ok(summary.observed.lookups > 0);
});

test('Ctrl-C ends the observation with a report', { timeout: 60_000 }, async () => {
  const child = start(1000);
  const args = ['attach', '--format', 'json', '--mode', 'all', '--pid', String(child.pid)];
  const observer = startCommand(args);
  observer.stderr.pipe(process.stderr);
  const text: string[] = [];
  observer.stdout.on('data', (data) => text.push(String(data)));
  await attached(child);
  await delay(SOME_LOOKUPS_MILLIS);
  observer.kill('SIGINT');
  const [code] = await once(observer, 'close');
  assert.equal(code, 0);
  assert.match(text.join(''), /"schema": "mapscope\/summary\/v1"/);
  assert.equal(child.exitCode, null);
  await stop(child);
});
