// Processes are found when they start, and when they become one that is looked for: by the kernel's events, and by looking.

import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { type FinderOptions, ProcessFinder } from '../../src/target/finding/process-finder.ts';
import type { Criteria } from '../../src/target/finding/selection.ts';
import { until } from '../support/until.ts';

const LIMIT = { timeout: 60_000 };
const folder = mkdtempSync(join(tmpdir(), 'mapscope-finding-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A program under a name of its own: it waits until its standard input ends. */
const NAME = `finding-${process.pid}`;
const SERVICE = join(folder, NAME);
copyFileSync('/bin/cat', SERVICE);
/** A shell under a name of its own. */
const SHELL = join(folder, `${NAME}-shell`);
copyFileSync('/bin/sh', SHELL);

/** Longer than any test: only events find anything. */
const NEVER = 2 ** 30;
const HOW: Readonly<Record<string, Partial<FinderOptions>>> = {
  'by events': { lookMillis: NEVER },
  'by looking': { events: false, lookMillis: 50 },
};

/** A finder that runs until the test is over, with what it has found. */
function find(t: TestContext, options: Partial<FinderOptions>, criteria: Criteria = { exe: NAME }) {
  const found: number[] = [];
  const rules = [{ action: 'include', criteria } as const];
  const finder = new ProcessFinder({
    selection: { rules, withoutExclusions: ['self'] },
    found: ({ pid }) => found.push(pid),
    withoutEvents: (reason) => assert.fail(reason),
    ...options,
  });
  finder.start();
  t.after(() => finder.stop());
  return { finder, found };
}

/** Starts a program that lives until the test is over. */
function start(t: TestContext, command: string, ...args: string[]): ChildProcess & { pid: number } {
  const child = spawn(command, args, { stdio: ['pipe', 'ignore', 'inherit'] });
  t.after(async () => {
    const ended = once(child, 'close');
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) {
      await ended;
    }
  });
  assert.ok(child.pid);
  return child as ChildProcess & { pid: number };
}

const isFound = (found: readonly number[], pid: number) =>
  until(
    () => found.includes(pid),
    () => `${pid} is found, not ${found}`,
  );

for (const [how, options] of Object.entries(HOW)) {
  test(`${how}: what runs already`, LIMIT, async (t) => {
    const { pid } = start(t, SERVICE);
    await until(() => readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('finding-'), 'it runs');
    assert.deepEqual(find(t, options).found, [pid]);
  });

  test(`${how}: what starts later, each once, among many short-lived ones`, LIMIT, async (t) => {
    const { found } = find(t, options);
    const started = [];
    for (let i = 0; i < 4; i++) {
      execFileSync('/bin/sh', ['-c', 'for i in $(seq 25); do /bin/true; done']);
      started.push(start(t, SERVICE).pid);
    }
    await until(() => found.length >= started.length, 'all are found');
    // The last to be found proves that those before it have been handled.
    await isFound(found, started.at(-1) ?? 0);
    assert.deepEqual(found.toSorted(), started.toSorted());
  });

  test(`${how}: a launcher that becomes it, at the second execve`, LIMIT, async (t) => {
    const { found } = find(t, options);
    const second = `read a; exec ${SERVICE}`;
    const child = start(t, '/bin/sh', '-c', `read a; exec /bin/sh -c '${second}'`);
    await until(() => readFileSync(`/proc/${child.pid}/cmdline`, 'utf8').includes('read a'), 'it runs');
    assert.deepEqual(found, []);
    child.stdin?.write('\n');
    const command = () => readFileSync(`/proc/${child.pid}/cmdline`, 'utf8');
    await until(() => command() === `/bin/sh\0-c\0${second}\0`, 'it is the second');
    child.stdin?.write('\n');
    await isFound(found, child.pid);
    assert.deepEqual(found, [child.pid]);
  });

  test(`${how}: a child of a supervisor, and the one that takes its place`, LIMIT, async (t) => {
    const { finder, found } = find(t, options);
    start(t, '/bin/sh', '-c', `while :; do ${SERVICE} <&3; done 3<&0`);
    await until(() => found.length === 1, 'the first is found');
    const [first = 0] = found;
    process.kill(first, 'SIGKILL');
    await until(() => found.length === 2, 'the second is found');
    finder.release(first);
    assert.notEqual(found[1], first);
  });

  test(`${how}: the same program executed again by its own process`, LIMIT, async (t) => {
    const criteria = { exe: `${NAME}-shell`, command: '*second*' };
    const { found } = find(t, options, criteria);
    const child = start(t, SHELL, '-c', `X=sec; read a; exec ${SHELL} -c "read b; : $\{X}ond"`);
    await until(() => readFileSync(`/proc/${child.pid}/comm`, 'utf8').startsWith('finding-'), 'it runs');
    child.stdin?.write('\n');
    await isFound(found, child.pid);
    child.stdin?.write('\n');
  });

  test(`${how}: nothing is found twice that is observed; again when it was let go`, LIMIT, async (t) => {
    const { finder, found } = find(t, options);
    const child = start(t, SERVICE);
    await isFound(found, child.pid);
    const other = start(t, SERVICE);
    await isFound(found, other.pid);
    assert.deepEqual(found, [child.pid, other.pid]);
    finder.release(other.pid);
    if (options.events === false) {
      await until(() => found.length === 3, 'it is found again');
      assert.equal(found[2], other.pid);
    }
  });
}

test('a process that forks without an execve is found by looking', LIMIT, async (t) => {
  const { found } = find(t, { lookMillis: 50 }, { exe: `${NAME}-shell` });
  const child = start(t, SHELL, '-c', 'exec 3<&0; read a; (read b <&3) & read c');
  await isFound(found, child.pid);
  child.stdin?.write('\n');
  await until(() => found.length === 2, 'its child is found');
});

test('a port that is opened later makes a process one that is looked for', LIMIT, async (t) => {
  const port = 20_000 + (process.pid % 20_000);
  const { found } = find(
    t,
    { events: false, lookMillis: 50 },
    { command: `*finding-port-${NAME}*`, port: [port, port] },
  );
  const server = `process.stdin.once('data', () => require('net').createServer().listen(${port}, '127.0.0.1'))`;
  const child = start(t, process.execPath, '-e', server, `finding-port-${NAME}`);
  const command = () => readFileSync(`/proc/${child.pid}/cmdline`, 'utf8');
  await until(() => command().includes('finding-port'), 'it runs');
  assert.deepEqual(found, []);
  child.stdin?.write('\n');
  await isFound(found, child.pid);
});
