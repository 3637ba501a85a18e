// A report is never lost, and never half there: whatever becomes of the place where it should go, or of one target of many.

import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { type Summary, summariesSchema, summarySchema } from '../../src/report/summary/schema.ts';
import { checkSummary } from '../support/accounts.ts';
import { commandLine, isAttached, mapscope, ROOT, startCommand } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { inOverlay } from '../support/overlay.ts';
import { until } from '../support/until.ts';

const LIMIT = { timeout: 120_000 };
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'mapscope-output-'));
const running: ChildProcess[] = [];
after(() => {
  for (const child of running) {
    child.kill('SIGKILL');
  }
  rmSync(folder, { recursive: true, force: true });
});

const steady = await buildGo({ dir: join(import.meta.dirname, '../services/steady'), version: 'local' });
const ESBUILD = ['node_modules/esbuild-go1.26/bin/esbuild', '--version'];
const ALL = ['--mode', 'all'];

function service(path = steady): ChildProcess {
  const child = spawn(path, ['-rate', '1000'], { stdio: ['ignore', 'ignore', 'inherit'] });
  running.push(child);
  return child;
}

/** An empty folder. */
function empty(context: TestContext): string {
  const path = mkdtempSync(join(folder, 'empty-'));
  context.after(() => rmSync(path, { recursive: true }));
  return path;
}

test(
  '--output is opened before anything is observed, written beside, and replaced as a whole',
  LIMIT,
  async (t) => {
    const reports = empty(t);
    const output = join(reports, 'report.json');
    writeFileSync(output, 'of yesterday');
    const target = service();
    const command = startCommand([
      'attach',
      ...ALL,
      '--format',
      'json',
      '--output',
      output,
      '--pid',
      `${target.pid}`,
    ]);
    const said = text(command.stderr);
    await until(() => isAttached(command.pid ?? 0), 'probes are in');
    assert.equal(readFileSync(output, 'utf8'), 'of yesterday');
    const [beside = '', ...others] = readdirSync(reports).filter((name) => name !== 'report.json');
    assert.match(beside, /^\.report\.json\.[0-9a-f]{8}\.tmp$/);
    assert.deepEqual(others, []);
    const ended = once(command, 'close');
    command.kill('SIGINT');
    assert.deepEqual(await ended, [0, null], await said);
    checkSummary(JSON.parse(readFileSync(output, 'utf8')));
    assert.deepEqual(readdirSync(reports), ['report.json']);
    target.kill('SIGKILL');
  },
);

test('a full disk costs neither the report nor the one before', LIMIT, async () => {
  const mounted = join(folder, 'full');
  const [file, ...args] = commandLine(
    'run',
    ...ALL,
    '--format',
    'json',
    '--output',
    `${mounted}/report`,
    '--',
    ...ESBUILD,
  );
  // A file system with room for a page beside the older report, where only this process sees it.
  const script = `
    mkdir ${mounted} && mount -t tmpfs -o size=8k tmpfs ${mounted}
    echo 'of yesterday' >${mounted}/report
    "$@" 2>${mounted}.err; echo "status $?"
    cat ${mounted}/report; ls -A ${mounted}`;
  const { stdout } = await run('unshare', ['--mount', 'sh', '-c', script, 'sh', file, ...args], {
    cwd: ROOT,
    maxBuffer: 1 << 26,
  });
  const said = readFileSync(`${mounted}.err`, 'utf8');
  assert.match(said, /^mapscope: The report could not be written to .*\/report, so it is on stdout: ENOSPC/);
  const end = stdout.indexOf('status 1\n');
  assert.ok(end > 0, stdout.slice(-500) + said);
  const report = stdout.slice(stdout.indexOf('{\n  "schema"'), end);
  checkSummary(JSON.parse(report));
  assert.equal(stdout.slice(end), 'status 1\nof yesterday\nreport\n');
});

test('how the program ended is in the report, by status or by signal', LIMIT, async () => {
  for (const verb of ['run', 'verify']) {
    const observe = async (end: (program: number) => void, ...args: readonly string[]) => {
      const command = startCommand([verb, '--format', 'jsonl', '--', steady, '-rate', '1000', ...args]);
      const output = text(command.stdout);
      // The program says that it is ready.
      await once(command.stdout, 'data');
      const program = childrenOf(command.pid ?? 0).find((pid) => readlinkSync(`/proc/${pid}/exe`) === steady);
      assert.ok(program !== undefined);
      end(program);
      const [line = ''] = (await output).split('\n').filter((one) => one.startsWith('{"schema"'));
      const { exitCode, signal } = JSON.parse(line).target;
      return [exitCode, signal];
    };
    assert.deepEqual(await observe(() => {}, '-duration', '1s'), [0, null], verb);
    assert.deepEqual(await observe((program) => process.kill(program, 'SIGKILL')), [null, 'SIGKILL'], verb);
  }
});

/** Processes that a process has started. */
function childrenOf(pid: number): number[] {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads
    .flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' '))
    .filter((child) => child !== '')
    .map(Number);
}

test(
  'jsonl is a summary a line, of one target and of several; json of several is one document',
  LIMIT,
  async () => {
    const name = `several-${process.pid}`;
    copyFileSync(steady, join(folder, name));
    const pids = [service(join(folder, name)), service(join(folder, name))].map(({ pid }) => pid);
    const observe = async (format: string) => {
      const args = ['attach', ...ALL, '--duration', '1s', '--format', format, '--exe', name];
      const { status, stdout, stderr } = await mapscope(args);
      assert.equal(status, 0, stderr);
      return stdout;
    };
    const lines = (await observe('jsonl')).trimEnd().split('\n');
    const summaries = lines.map((line) => checkSummary(summarySchema.parse(JSON.parse(line))));
    const { targets } = summariesSchema.parse(JSON.parse(await observe('json')));
    for (const found of [summaries, targets]) {
      assert.deepEqual(found.map(({ target }) => target.pid).sort(), pids.toSorted());
    }
    for (const child of running.filter(({ pid }) => pids.includes(pid))) {
      child.kill('SIGKILL');
    }
    const { stdout } = await mapscope(['run', ...ALL, '--format', 'jsonl', '--', ...ESBUILD]);
    const [, line = '', ...more] = stdout.split('\n');
    assert.deepEqual(more, [''], 'what the program printed, and one line');
    checkSummary(JSON.parse(line));
  },
);

test(
  'one target of many that cannot be observed to the end costs nobody else its report',
  LIMIT,
  async (t) => {
    const name = `many-${process.pid}`;
    const changed = inOverlay(t, steady, name);
    copyFileSync(steady, join(folder, name));
    const [good, bad] = [service(join(folder, name)), service(changed)];
    await until(() => readFileSync(`/proc/${bad.pid}/comm`, 'utf8') === `${name}\n`.slice(-16), 'it runs');
    chmodSync(changed, 0o750);
    const args = ['attach', '--duration', '3s', '--format', 'json', '--exe', name];
    const { status, stdout, stderr } = await mapscope(args);
    const { targets }: { targets: Summary[] } = JSON.parse(stdout);
    const lookups = new Map(targets.map(({ target, observed }) => [target.pid, observed.lookups]));
    assert.ok((lookups.get(good.pid ?? 0) ?? 0) > 0, stdout);
    assert.equal(lookups.get(bad.pid ?? 0), 0);
    assert.match(
      stderr,
      new RegExp(
        `^mapscope: warning: Process ${bad.pid} could not be observed to the end: .*do not take effect`,
        'm',
      ),
    );
    assert.match(stderr, /^mapscope: 1 of 2 processes could not be observed to the end\.$/m);
    assert.equal(status, 3);
    good.kill('SIGKILL');
    bad.kill('SIGKILL');
  },
);

/** Runs the command by a shell, which opens and closes files for it. */
async function redirected(redirections: string, ...args: readonly string[]) {
  const child = spawn('sh', ['-c', `"$@" ${redirections}`, 'sh', ...commandLine(...args)], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { status, stdout, stderr };
}

const RUN = ['run', ...ALL, '--format', 'json', '--otlp-endpoint', 'http://127.0.0.1:9', '--', ...ESBUILD];

test('a closed stderr, and one that nobody reads, cost no report', LIMIT, async () => {
  for (const redirection of ['2>&-', '2>/dev/full', '2> >(exec true)']) {
    const shell = redirection.includes('>(') ? 'bash' : 'sh';
    const child = spawn(shell, ['-c', `"$@" ${redirection}`, shell, ...commandLine(...RUN)], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [stdout, [status]] = await Promise.all([text(child.stdout), once(child, 'close')]);
    checkSummary(JSON.parse(stdout.slice(stdout.indexOf('{\n  "schema"'))));
    assert.equal(status, 0, redirection);
  }
});

test('a closed stdout: the report is in its file, and nothing fails', LIMIT, async () => {
  const output = join(folder, 'closed.json');
  const { status } = await redirected('>&-', 'run', '--output', output, ...RUN.slice(1));
  assert.equal(status, 0);
  checkSummary(JSON.parse(readFileSync(output, 'utf8')));
});

test('a stdout that takes nothing more is said', LIMIT, async () => {
  const { status, stderr } = await redirected('>/dev/full', ...RUN);
  assert.match(stderr, /^mapscope: The report could not be written to stdout: ENOSPC/m);
  assert.equal(status, 1);
});
