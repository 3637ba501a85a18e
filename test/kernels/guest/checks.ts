import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type AttachMethod, addon } from '../../../src/kernel/addon.ts';
import { planProbes } from '../../../src/plan/lookups/plan.ts';
import { differences, runOracle } from '../../exactness/oracle.ts';
import { START } from '../../support/command.ts';
import { mapped } from '../../support/opened.ts';
import { GUEST_ROOT } from './contract.ts';

interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Lookups of an oracle's run: enough for each of its cases. */
const LOOKUPS = '10000';

/** Runs the command as it is shipped. */
function mapscope(...args: readonly string[]): Promise<Result> {
  const options = { cwd: GUEST_ROOT, maxBuffer: 64 * 1024 * 1024 };
  return new Promise((done) => {
    const child = execFile(process.execPath, [START, ...args], options, (_error, stdout, stderr) =>
      done({ status: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

async function document(...args: readonly string[]) {
  const { status, stdout, stderr } = await mapscope(...args);
  assert.equal(status, 0, `status ${status}: ${stderr}`);
  return JSON.parse(stdout);
}

/** Whether `doctor` says that this kernel is good enough. */
export async function diagnosed(): Promise<boolean> {
  const { status, stdout } = await mapscope('doctor');
  assert.ok(status === 0 || status === 3, stdout);
  return status === 0;
}

/** Every field of every lookup. */
export async function exact(maps: 'swiss' | 'classic', method: AttachMethod | undefined): Promise<string> {
  const run = await runOracle(`/programs/oracle-${maps}`, ['-seed', '1', '-lookups', LOOKUPS], method);
  assert.deepEqual(differences(run), []);
  const { hits, observed, deferred } = run.snapshot;
  assert.equal(observed + deferred, hits);
  return `${run.truth.lookups} lookups`;
}

const ESBUILD = ['node_modules/esbuild-go1.23/bin/esbuild', '--bundle', '--outfile=/tmp/bundled.js'];

/** With these the programs in the kernel have all of their code. Nobody listens there. */
const EVERYTHING = ['--otlp-endpoint', 'http://127.0.0.1:9', '--spikes', '8x', '--per-goroutine', '10'];

/** A real program from start to end. */
export async function whole(): Promise<string> {
  const command = ['run', '--mode', 'all', ...EVERYTHING, '--format', 'json', '--'];
  const { observed } = await document(...command, ...ESBUILD, 'node_modules/zod/index.js');
  assert.equal(observed.unreadable + observed.dropped + observed.inexact + observed.notDecoded, 0);
  assert.equal(observed.lookups + observed.deferred, observed.probeSiteHits);
  assert.ok(observed.lookups > 100_000, `${observed.lookups} lookups`);
  return `${observed.lookups} lookups`;
}

/**
 * Starts a service that has said a line when it is ready. What it has not executed yet is not in the page cache then: where the kernel
 * has to read a page itself to put a breakpoint in, ext4 has warned in its log.
 */
async function start(command: string, ...args: readonly string[]): Promise<Started> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  assert.ok(child.pid !== undefined);
  const [said] = await once(child.stdout, 'data');
  writeFileSync('/proc/sys/vm/drop_caches', '1');
  return { pid: child.pid, said: `${said}`, end: () => child.kill('SIGKILL') };
}

interface Started {
  readonly pid: number;
  readonly said: string;
  end(): void;
}

/** A service that uses the OpenTelemetry SDK, net/http and gRPC: the program that follows spans has all of its code. */
export async function spans(): Promise<string> {
  const shop = await start('/programs/shop', '-sample', '1');
  try {
    const [, http, grpc] = /^ready http=(\S+) grpc=(\S+)$/m.exec(shop.said) ?? assert.fail(shop.said);
    const load = spawn('/programs/load', [`-http=${http}`, `-grpc=${grpc}`, '-rate=10', '-duration=600s'], {
      stdio: 'ignore',
    });
    try {
      return await spansOf(shop.pid);
    } finally {
      load.kill('SIGKILL');
    }
  } finally {
    shop.end();
  }
}

async function spansOf(pid: number): Promise<string> {
  const options = ['--mode', 'all', ...EVERYTHING, '--duration', '8s', '--format', 'json'];
  const summary = await document('attach', '--pid', `${pid}`, ...options);
  const { lookups, unreadable, dropped } = summary.observed;
  assert.deepEqual(summary.following.refused, []);
  assert.ok(lookups > 0 && unreadable + dropped === 0, JSON.stringify(summary.observed));
  const inSpans = lookups - summary.spans.lookupsOutside.no_span;
  assert.ok(inSpans > 0, JSON.stringify(summary.spans));
  return `${inSpans} of ${lookups} lookups in spans`;
}

/** A service that runs already, in windows. No breakpoint is left in it afterwards. */
export async function windows(): Promise<string> {
  const service = await start('/programs/steady', '-rate', '2000');
  const isClean = cleanliness(service.pid);
  try {
    const options = ['--pid', `${service.pid}`, '--budget', '20%', '--duration', '15s', '--format', 'json'];
    const { observed } = await document('attach', ...options);
    assert.equal(observed.unreadable + observed.dropped + observed.inexact, 0);
    assert.ok(observed.windows > 1 && observed.lookups > 0, JSON.stringify(observed));
    assert.ok(isClean());
    return `${observed.lookups} lookups in ${observed.windows} windows`;
  } finally {
    service.end();
  }
}

/** Whether the instructions of a process that mapscope would probe begin as in the file: none carries a breakpoint. */
function cleanliness(pid: number): () => boolean {
  const target = mapped(pid);
  const { sites } = planProbes(target.binary);
  assert.ok(sites.length > 0);
  return () =>
    sites.every((site) => {
      const [first] = addon.readMemory(pid, BigInt(site.address + target.bias), 1);
      return first === site.bytes[0];
    });
}

/** Much longer than an observation takes to begin, in a machine that is emulated, on a host that is busy. */
const PATIENCE_MS = 400_000;

/** Times that mapscope is killed while its breakpoints are in. */
const KILLS = 2;

/** What is left of mapscope when it is killed while breakpoints go in, which is up to the kernel: told, not judged. */
export async function killed(): Promise<string> {
  let left = 0;
  for (let i = 0; i < KILLS; i++) {
    const service = await start('/programs/steady', '-rate', '2000');
    try {
      left += (await leavesBreakpoints(service.pid)) ? 1 : 0;
    } finally {
      service.end();
    }
  }
  return left === 0 ? `none left in ${KILLS} processes` : `breakpoints left in ${left} of ${KILLS} processes`;
}

async function leavesBreakpoints(pid: number): Promise<boolean> {
  const isClean = cleanliness(pid);
  assert.ok(isClean(), 'breakpoints are there before mapscope is');
  const args = [START, 'attach', '--mode', 'all', '--pid', `${pid}`];
  const observer = spawn(process.execPath, args, { cwd: GUEST_ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(observer, 'exit');
  let said = '';
  for (const stream of [observer.stdout, observer.stderr]) {
    stream.setEncoding('utf8').on('data', (more: string) => {
      said += more;
    });
  }
  // In this mode they stay in: none goes out again between two looks.
  for (const end = performance.now() + PATIENCE_MS; isClean(); await delay(10)) {
    const { exitCode, signalCode } = observer;
    assert.equal(exitCode ?? signalCode, null, `mapscope has ended by itself: ${said}`);
    if (performance.now() >= end) {
      const state = stateOf(observer.pid);
      observer.kill('SIGKILL');
      assert.fail(`no breakpoint went in within ${PATIENCE_MS / 1000} s: ${said}\n${state}`);
    }
  }
  observer.kill('SIGKILL');
  await ended;
  // The kernel takes out what it takes out before the process is gone.
  return !isClean();
}

/** What the threads of a process do, its children, and the files that it holds: how far mapscope has come. */
function stateOf(pid: number | undefined): string {
  const texts = (pattern: string) =>
    globSync(`/proc/${pid}/${pattern}`).map(
      (path) => `${path}: ${attempt(() => readFileSync(path, 'utf8').trim())}`,
    );
  const files = globSync(`/proc/${pid}/fd/*`).map((path) => attempt(() => readlinkSync(path)));
  return [...texts('task/*/{comm,wchan,stack,children}'), `files: ${files.join(' ')}`].join('\n');
}

function attempt(read: () => string): string {
  try {
    return read();
  } catch (error) {
    return `${error}`;
  }
}

/** What the functions return. */
export async function verified(): Promise<string> {
  const oracle = ['/programs/oracle-swiss', '-seed', '2', '-lookups', LOOKUPS, '-truth', '/tmp/truth.json'];
  const { functions, disagreements } = await document('verify', '--format', 'json', '--', ...oracle);
  assert.deepEqual(disagreements, []);
  const agreed = functions.reduce((sum: number, each: { agreed: number }) => sum + each.agreed, 0);
  assert.ok(agreed > 100, JSON.stringify(functions));
  return `${agreed} lookups agree`;
}

/** One sentence, and the status for what cannot be observed. */
export async function refused(): Promise<string> {
  const { status, stdout, stderr } = await mapscope('run', '--', '/programs/steady', '-duration', '1s');
  assert.equal(status, 3, stderr);
  assert.equal(stdout, '');
  assert.match(stderr, /^mapscope: [^\n]+\n$/);
  return stderr.trim();
}
