import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { addon } from '../../src/kernel/addon.ts';
import { type CommandResult, mapscope, ROOT } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';

const folder = mkdtempSync(join(tmpdir(), 'mapscope-verify-command-'));
const running: ChildProcess[] = [];
after(() => {
  for (const child of running) {
    child.kill('SIGKILL');
  }
  rmSync(folder, { recursive: true, force: true });
});
const LONG = { timeout: 120_000 };

let steady = '';
before(async () => {
  const dir = fileURLToPath(new URL('../services/steady', import.meta.url));
  steady = await buildGo({ dir, version: 'local' });
});

/** Starts the steady service and waits until it is at work. */
async function start(rate: number): Promise<ChildProcess> {
  const args = ['-rate', String(rate), '-goroutines', '4'];
  const child = spawn(steady, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  running.push(child);
  if (child.stdout !== null) {
    await once(child.stdout, 'data');
  }
  return child;
}

async function stop(child: ChildProcess): Promise<number | null> {
  child.kill('SIGTERM');
  const [code] = await once(child, 'close');
  return code;
}

const ESBUILD = 'node_modules/esbuild-go1.26/bin/esbuild';
const BUNDLE = [ESBUILD, 'node_modules/zod/index.js', '--bundle', '--platform=node', '--log-level=error'];

test('a running process is verified in bounded time, and runs on', LONG, async () => {
  const child = await start(20_000);
  const { status, stdout } = await mapscope(['verify', '--duration', '1s', '--pid', String(child.pid)]);
  assert.equal(status, 0, stdout);
  assert.match(stdout, /^mapaccess1_fast64 +1,000 +1,000 +0$/m);
  assert.match(stdout, /^mapaccess2_faststr +0 +0 +0 {2}never called$/m);
  assert.match(
    stdout,
    /^1,000 lookups checked in [\d.]+ m?s: each agrees with what the function returned\.$/m,
  );
  assert.equal(child.exitCode, null);
  assert.equal(await stop(child), 0);
});

test('no breakpoint is left behind', LONG, async () => {
  const child = await start(20_000);
  const mapped = readFileSync(`/proc/${child.pid}/maps`, 'utf8').split('\n');
  const [range = ''] =
    mapped.find((line) => line.includes('r-xp') && line.endsWith(steady))?.split(' ') ?? [];
  const [from = 0, to = 0] = range.split('-').map((text) => Number.parseInt(text, 16));
  const code = () => addon.readMemory(child.pid ?? 0, BigInt(from), to - from);
  const before = code();
  await mapscope(['verify', '--duration', '1s', '--lookups', '10', '--pid', String(child.pid)]);
  assert.ok(code().equals(before));
  await stop(child);
});

test('a target that ends ends the verification', LONG, async () => {
  const child = await start(1000);
  const verifying = mapscope(['verify', '--duration', '100s', '--pid', String(child.pid)]);
  // The kernel maps this when the first return has been watched.
  const maps = () => readFileSync(`/proc/${child.pid}/maps`, 'utf8');
  while (!maps().includes('[uprobes]')) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  child.kill('SIGTERM');
  const { status, stdout } = await verifying;
  assert.equal(status, 0);
  assert.match(stdout, /lookups checked/);
});

test("the program's output is the same with and without", LONG, async () => {
  const report = join(folder, 'report');
  const without = execFileSync(ESBUILD, BUNDLE.slice(1), { cwd: ROOT, encoding: 'utf8' });
  const { status, stdout } = await mapscope(['verify', '--output', report, '--', ...BUNDLE]);
  assert.equal(status, 0);
  assert.equal(stdout, without);
  assert.match(readFileSync(report, 'utf8'), /lookups checked/);
});

test('attached by perf events, the same', LONG, async () => {
  const report = join(folder, 'perf');
  const args = ['verify', '--attach-method', 'perf_event', '--output', report, '--', ...BUNDLE];
  assert.equal((await mapscope(args)).status, 0);
  assert.match(readFileSync(report, 'utf8'), /^mapaccess1_faststr +1,000 +1,000 +0$/m);
});

test('run --verify: every lookup of the report has been verified', LONG, async () => {
  const report = join(folder, 'summary.json');
  const options = [
    '--mode',
    'all',
    '--format',
    'json',
    '--output',
    report,
    '--verify',
    '--lookups',
    '1000000000',
  ];
  const { status, stderr } = await mapscope(['run', ...options, '--', ...BUNDLE]);
  assert.equal(status, 0);
  const { observed, refusedFunctions } = JSON.parse(readFileSync(report, 'utf8'));
  assert.deepEqual(refusedFunctions, []);
  assert.ok(observed.lookups > 50_000);
  assert.equal(
    stderr,
    `mapscope: Verified ${observed.lookups.toLocaleString('en-US')} lookups: all agree.\n`,
  );
});

test('attach --verify verifies, then observes', LONG, async () => {
  const child = await start(20_000);
  const options = ['--mode', 'all', '--format', 'json', '--duration', '1s', '--verify', '--lookups', '500'];
  const { status, stdout, stderr } = await mapscope(['attach', ...options, '--pid', String(child.pid)]);
  assert.equal(status, 0, stderr);
  assert.equal(stderr, 'mapscope: Verified 500 lookups: all agree.\n');
  const { observed, refusedFunctions } = JSON.parse(stdout);
  assert.ok(observed.lookups > 1000, `${observed.lookups} lookups`);
  assert.deepEqual(refusedFunctions, []);
  await stop(child);
});

/** One line for the user, no stack trace, and the exit status. */
function assertRefused({ status, stderr }: CommandResult, expectedStatus: number, message: RegExp): void {
  assert.match(stderr, message);
  assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
  assert.equal(status, expectedStatus);
}

test('what cannot be verified is said in one line', LONG, async () => {
  const verify = (...args: string[]) => mapscope(['verify', ...args]);
  assertRefused(await verify('--pid', '4000000'), 3, /^mapscope: There is no process 4000000\.$/m);
  assertRefused(await verify('--pid', String(process.pid)), 3, /cannot be observed: .* is not a Go program/);
  assertRefused(await verify('--', '/bin/true'), 3, /is not a Go program/);
  assertRefused(await verify('--', './no-such-program'), 2, /There is no executable program/);
  assertRefused(await verify(), 2, /either --pid or a program/);
  assertRefused(await verify('--pid', '1', '--', 'x'), 2, /either --pid or a program/);
  assertRefused(await verify('--lookups', '0', '--', ESBUILD), 2, /lookups must be a whole number above 0/);
  assertRefused(await verify('--lookups', 'ten', '--', ESBUILD), 2, /lookups must be a whole number/);
  assertRefused(
    await verify('--format', 'xml', '--', ESBUILD),
    2,
    /format must be table, json, jsonl or html, not "xml"/,
  );
  const config = join(folder, 'mapscope.yaml');
  writeFileSync(config, 'lookups: -1\n');
  assertRefused(await verify('--config', config, '--', ESBUILD), 2, /lookups must be a whole number above 0/);
  const nowhere = join(folder, 'no', 'such', 'folder');
  assertRefused(await verify('--output', nowhere, '--', ESBUILD, '--version'), 2, /report cannot be written/);
  const under = ['setpriv', '--bounding-set=-all', '--inh-caps=-all'];
  assertRefused(await mapscope(['verify', '--', ESBUILD], { under }), 3, /CAP_BPF/);
});
