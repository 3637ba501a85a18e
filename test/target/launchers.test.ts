// Programs that others execute or start: followed until one is a Go program, which is observed from its first instruction on.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import type { Summary } from '../../src/report/summary/schema.ts';
import { buildProgram } from '../native/support.ts';
import { commandLine, mapscope } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { until } from '../support/until.ts';

const LONG = { timeout: 120_000 };
const LAUNCHER = buildProgram('launcher.c');
const folder = mkdtempSync(join(tmpdir(), 'mapscope-launchers-'));
const startedHere: ChildProcess[] = [];
after(() => {
  for (const child of startedHere) {
    child.kill('SIGKILL');
  }
  rmSync(folder, { recursive: true });
});

/** A program that makes the same lookups each time, and ends when its standard input does. */
let program = '';
let lookups = 0;
before(async () => {
  program = await buildGo({ dir: join(import.meta.dirname, '../services/lookups'), version: 'local' });
  lookups = (await observed([program])).observed.lookups;
  assert.ok(lookups > 10_000);
});

async function observed(command: readonly string[]): Promise<Summary> {
  const { output, status, said } = await observe(command);
  assert.equal(status, 0, said);
  return JSON.parse(readFileSync(output, 'utf8'));
}

async function observe(command: readonly string[]) {
  const child = start(['run', ...OPTIONS, '--', ...command]);
  const [said, [status]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  return { output: REPORT, status, said };
}

const REPORT = join(folder, 'report.json');
const OPTIONS = ['--mode', 'all', '--format', 'json', '--output', REPORT];

/** The command, with an empty standard input. */
function start(args: readonly string[]) {
  const child = startWithInput(args);
  child.stdin.end();
  return child;
}

function startWithInput(args: readonly string[]) {
  const [file, ...rest] = commandLine(...args);
  const child = spawn(file, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
  startedHere.push(child);
  return child;
}

const CASES: Readonly<Record<string, () => { command: string[]; isChild?: boolean; exitCode?: number }>> = {
  env: () => ({ command: ['env', 'A=1', program] }),
  nice: () => ({ command: ['nice', program] }),
  setpriv: () => ({ command: ['setpriv', '--no-new-privs', program] }),
  'several, one after the other': () => ({ command: ['env', 'A=1', 'nice', '-n', '1', 'env', program] }),
  'a shell that executes it': () => ({ command: ['sh', '-c', `exec ${program}`] }),
  'a shell that starts it': () => ({ command: ['sh', '-c', `${program}; true`], isChild: true }),
  'a shell within a shell': () => ({
    command: ['sh', '-c', `sh -c "true; ${program}; exit 3"; exit 4`],
    isChild: true,
  }),
  'a pipe': () => ({ command: ['sh', '-c', `true | ${program} | cat`], isChild: true }),
  'a shell that ends before it': () => ({ command: ['sh', '-c', `${program} &`], isChild: true }),
  'a shell that is killed': () => ({ command: ['sh', '-c', `${program} & kill -9 $$`], isChild: true }),
  // A stop that is not noticed is a process that stands for ever: among so many one always stops at the wrong moment.
  'a thousand short children before it': () => ({
    command: ['sh', '-c', `for i in $(seq 250); do (:) & (:) & (:) & (:) & done; wait; exec ${program}`],
  }),
  'a script': () => {
    const script = join(folder, 'script');
    writeFileSync(script, `#!/bin/sh\n/bin/true\nexec ${program}\n`, { mode: 0o755 });
    return { command: [script] };
  },
  'another thread': () => ({ command: [LAUNCHER, 'thread', program] }),
  'a child that borrows the memory': () => ({ command: [LAUNCHER, 'vfork', program], isChild: true }),
  'a daemon': () => ({ command: [LAUNCHER, 'daemon', program], isChild: true }),
};

for (const [what, prepare] of Object.entries(CASES)) {
  test(`${what}: no lookup of the Go program is missed`, LONG, async () => {
    const { command, isChild = false } = prepare();
    const summary = await observed(command);
    assert.equal(summary.target.exe, program);
    assert.equal(summary.observed.lookups, lookups);
    // How a child has ended is its parent's to know.
    assert.equal(summary.target.exitCode, isChild ? null : 0);
  });
}

/**
 * Has a launcher make a child or a thread and kills it before it can say so, because the tracer, mapscope, takes no notice
 * meanwhile.
 */
async function killWhileMaking(what: 'fork' | 'clone' | 'load', command: readonly string[] = [program]) {
  const child = startWithInput(['run', ...OPTIONS, '--', LAUNCHER, what, ...command]);
  const said = text(child.stderr);
  const ended = once(child, 'close');
  await once(child.stdout, 'data');
  const [launcher = ''] = running(LAUNCHER, what);
  child.kill('SIGSTOP');
  await until(() => stateOf(`${child.pid}`) === 'T', 'mapscope stands still');
  child.stdin.end('\n');
  await until(() => stateOf(launcher) === 't', 'the launcher is about to tell');
  process.kill(Number(launcher), 'SIGKILL');
  await until(() => stateOf(launcher) === 'Z', 'the launcher has ended');
  child.kill('SIGCONT');
  const [status] = await ended;
  return { status, said: await said };
}

/** A letter: t when it stands still for its tracer. */
function stateOf(pid: string): string {
  return /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';
}

test('a child whose parent is killed in its fork is followed', LONG, async () => {
  const { status, said } = await killWhileMaking('fork');
  assert.equal(status, 0, said);
  const { target, observed } = JSON.parse(readFileSync(REPORT, 'utf8'));
  assert.equal(target.exe, program);
  assert.equal(observed.lookups, lookups);
});

test('a child whose parent is killed in its fork is followed into what it loads', LONG, async () => {
  const dir = join(import.meta.dirname, '../services/counted');
  const library = await buildGo({ dir, version: 'local', flags: ['-buildmode=c-shared'] });
  const { status, said } = await killWhileMaking('load', [library, '5000']);
  assert.equal(status, 0, said);
  const { target, callSites } = JSON.parse(readFileSync(REPORT, 'utf8')) as Summary;
  assert.equal(target.image, library);
  const own = callSites.filter((site) => site.function === 'main.get');
  assert.equal(
    own.reduce((sum, { hits, misses }) => sum + hits + misses, 0),
    15_000,
  );
});

test('a process that is killed while it makes a thread ends', LONG, async () => {
  const { status, said } = await killWhileMaking('clone');
  assert.equal(status, 3);
  assert.match(said, /neither it nor what it started has executed or loaded one that can be observed\.\n$/);
});

test('a program that verify is to start may be a launcher as well', LONG, async () => {
  const { status, stdout, stderr } = await mapscope([
    'verify',
    '--format',
    'json',
    '--',
    'sh',
    '-c',
    `${program} </dev/null; true`,
  ]);
  assert.equal(status, 0, stderr);
  const { functions } = JSON.parse(stdout.slice(stdout.indexOf('{\n')));
  const checked = functions.map((fn: { checked: number }) => fn.checked);
  assert.ok(Math.max(...checked) >= 1000, stdout);
});

test('the first Go program is observed, and only that one', LONG, async () => {
  const other = await buildGo({
    dir: join(import.meta.dirname, '../services/lookups'),
    version: 'local',
    flags: ['-gcflags=all=-N -l'],
  });
  const summary = await observed(['sh', '-c', `${program}; ${other}`]);
  assert.equal(summary.target.exe, program);
  assert.equal(summary.observed.lookups, lookups);
});

test('a Go program that cannot be observed is passed over with a sentence', LONG, async () => {
  const newer = join(folder, 'newer');
  const { output, status, said } = await observe(['sh', '-c', `${await ofNewerGo(newer)}; ${program}`]);
  assert.equal(status, 0, said);
  assert.match(said, /Process \d+ \(.*newer\) cannot be observed: /);
  assert.equal(JSON.parse(readFileSync(output, 'utf8')).observed.lookups, lookups);
});

/** The program with another version in it, of a Go that mapscope does not know. */
async function ofNewerGo(path: string): Promise<string> {
  const image = readFileSync(program);
  for (let at = image.indexOf('go1.'); at >= 0; at = image.indexOf('go1.', at + 1)) {
    if (/^go1\.\d\d/.test(image.toString('latin1', at, at + 6))) {
      image.write('go1.99', at, 'latin1');
    }
  }
  writeFileSync(path, image, { mode: 0o755 });
  return path;
}

test('when none is a Go program one sentence says so, and the exit status', LONG, async () => {
  for (const command of [['sh', '-c', 'sh -c true; echo done'], ['/bin/true']]) {
    const { status, stderr } = await mapscope(['run', '--', ...command]);
    assert.equal(status, 3);
    assert.match(
      stderr,
      /^mapscope: .* is not a Go program, and neither it nor what it started has executed or loaded one that can be observed\.\n$/,
    );
  }
});

/** Processes whose command line begins so. */
function running(...command: readonly string[]): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(command.join('\0'));
    } catch {
      return false;
    }
  });
}

test('signals reach the program that was started, before there is a Go program', LONG, async () => {
  const script = "trap 'echo got it; kill $!; exit' TERM; echo ready; sleep 100.5 & wait";
  const child = start(['run', '--', 'sh', '-c', script]);
  const said = text(child.stderr);
  const lines: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (line: string) => lines.push(line));
  await until(() => lines.join('').includes('ready'), 'the shell runs');
  child.kill('SIGTERM');
  const [status] = await once(child, 'close');
  assert.equal(lines.join(''), 'ready\ngot it\n');
  assert.equal(status, 3, await said);
});

test('a process that outlives the started one is let go when an end is wanted', LONG, async (context) => {
  const child = start(['run', '--', 'sh', '-c', 'sleep 100.75 & echo ready']);
  child.stdout.resume();
  child.stderr.resume();
  await until(() => running('sleep', '100.75').length === 1, 'the sleep runs');
  const [pid = ''] = running('sleep', '100.75');
  context.after(() => process.kill(Number(pid)));
  await until(() => running('sh', '-c', 'sleep 100.75').length === 0, 'the shell ends');
  child.kill('SIGTERM');
  await once(child, 'exit');
  assert.deepEqual(running('sleep', '100.75'), [pid]);
  assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), /^State:\s+S[\s\S]*^TracerPid:\s+0$/m);
});

test('a shell stops and goes on as it does without mapscope', LONG, async () => {
  const { output, status, said } = await observe([
    'sh',
    '-c',
    `(kill -STOP $$; sleep 0.3; kill -CONT $$) & wait; exec ${program}`,
  ]);
  assert.equal(status, 0, said);
  assert.equal(JSON.parse(readFileSync(output, 'utf8')).observed.lookups, lookups);
});

test('SIGKILL to mapscope ends what it follows', LONG, async () => {
  const child = start(['run', '--', 'sh', '-c', 'sleep 100.25; true']);
  await until(() => running('sleep', '100.25').length === 1, 'the sleep runs');
  child.kill('SIGKILL');
  await until(
    () => [...running('sleep', '100.25'), ...running('sh', '-c', 'sleep 100.25')].length === 0,
    'all end',
  );
});
