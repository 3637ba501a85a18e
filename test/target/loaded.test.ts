// `run` of programs that are not Go themselves, and load what is: observed from its first instruction on.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Summary } from '../../src/report/summary/schema.ts';
import { mapscope } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { reportsIn } from './attached.ts';
import { OTHER_LIBRARY } from './host.ts';

const LONG = { timeout: 180_000 };
const DIR = join(import.meta.dirname, '../services/counted');
const LOADER = '/lib64/ld-linux-x86-64.so.2';
const TIMES = 5000;

const folder = mkdtempSync(join(tmpdir(), 'mapscope-loaded-'));
after(() => rmSync(folder, { recursive: true }));

let program = '';
let library = '';
let other = '';
before(async () => {
  program = await buildGo({ dir: DIR, version: 'local', flags: ['-buildmode=pie'] });
  library = await buildGo({ dir: DIR, version: 'local', flags: ['-buildmode=c-shared'] });
  other = await buildGo({ dir: DIR, version: 'local', flags: ['-buildmode=c-shared', ...OTHER_LIBRARY] });
});

async function run(command: readonly string[], ...options: string[]) {
  const output = join(folder, 'report.json');
  const args = ['run', '--mode', 'all', '--format', 'json', '--output', output, ...options];
  const { stderr: said, stdout: printed, status } = await mapscope([...args, '--', ...command]);
  return { said, printed, status, reports: () => reportsIn(readFileSync(output, 'utf8')) };
}

/** Every lookup that the code was told to make, and no other in that function. */
function assertAll({ callSites, observed, target }: Summary): void {
  const own = callSites.filter((site) => site.function === 'main.get');
  const sum = (key: 'hits' | 'misses') => own.reduce((all, site) => all + site[key], 0);
  assert.deepEqual([sum('hits'), sum('misses')], [2 * TIMES, TIMES]);
  assert.equal(observed.unreadable + observed.dropped + observed.inexact, 0);
  assert.equal(target.exitCode, 0);
}

/** A script of Python's with these lines. */
function python(...lines: string[]): string[] {
  const script = join(folder, 'script.py');
  writeFileSync(script, ['import ctypes, sys, threading', ...lines].join('\n'));
  return ['python3', script];
}

const CASES: Readonly<Record<string, () => string[]>> = {
  'a dynamic loader': () => [LOADER, program, String(TIMES)],
  'a shell that starts a dynamic loader': () => ['sh', '-c', `${LOADER} ${program} ${TIMES}; true`],
  'a script of Python’s': () => python('import json, sqlite3', `ctypes.CDLL('${library}').Work(${TIMES})`),
  'a script of Python’s, another thread': () =>
    python(
      `def work(): ctypes.CDLL('${library}').Work(${TIMES})`,
      'others = [threading.Thread(target=threading.Event().wait, daemon=True) for _ in range(5)]',
      'for other in others: other.start()',
      'one = threading.Thread(target=work); one.start(); one.join()',
    ),
  'a script of Python’s, a child without an execve': () =>
    python(
      'import os',
      'pid = os.fork()',
      `if pid == 0: ctypes.CDLL('${library}').Work(${TIMES})`,
      'else: os.waitpid(pid, 0)',
    ),
};

for (const [what, prepare] of Object.entries(CASES)) {
  test(`${what}: no lookup of the Go code is missed`, LONG, async () => {
    const { said, status, reports } = await run(prepare());
    assert.equal(status, 0, said);
    const [report, ...others] = reports();
    assert.deepEqual(others, []);
    assert.match(said, /^mapscope: Process \d+ has loaded .*counted.*, which is observed\.\n$/);
    const isChild = /shell|child/.test(what);
    assertAll({ ...report, target: { ...report?.target, ...(isChild && { exitCode: 0 }) } } as Summary);
  });
}

test(
  'two libraries, one after the other: the second is observed from soon after it was loaded',
  LONG,
  async () => {
    const command = python(
      `ctypes.CDLL('${library}').Work(${TIMES})`,
      `second = ctypes.CDLL('${other}')`,
      'import time',
      'until = time.monotonic() + 8',
      'while time.monotonic() < until: second.Work(10); time.sleep(0.01)',
    );
    const { said, status, reports } = await run(command);
    assert.equal(status, 0, said);
    const [first, second, ...others] = reports();
    assert.deepEqual(others, []);
    assertAll(first as Summary);
    assert.deepEqual([first?.target.image, second?.target.image], [library, other]);
    assert.ok((second?.observed.lookups ?? 0) > 0);
  },
);

test('what Python prints, and how it ends, is as without mapscope', LONG, async () => {
  const command = python(`ctypes.CDLL('${library}').Work(10)`, "print('printed')", 'sys.exit(7)');
  const { printed, reports } = await run(command);
  assert.equal(printed, 'printed\n');
  assert.equal(reports()[0]?.target.exitCode, 7);
});

test('a program that loads nothing of Go’s: one sentence says so', LONG, async () => {
  const { said, status, printed } = await run(python("print('done')"));
  assert.equal(status, 3);
  assert.equal(printed, 'done\n');
  assert.match(said, /is not a Go program, and neither it nor what it started has executed or loaded one/);
});

test('verify of a program that loads Go', LONG, async () => {
  const command = python(`ctypes.CDLL('${library}').Work(${TIMES})`);
  const { status, stdout, stderr } = await mapscope(['verify', '--format', 'json', '--', ...command]);
  assert.equal(status, 0, stderr);
  const { functions } = JSON.parse(stdout.slice(stdout.indexOf('{\n')));
  const checked = functions.map((fn: { checked: number }) => fn.checked);
  assert.ok(Math.max(...checked) >= 1000, stdout);
});
