import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

const LIMIT = { timeout: 60_000 };
const LONG_MS = 600_000;

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Limits {
  readonly test?: number;
  readonly file?: number;
  readonly total?: number;
}

/** Runs files of fixtures/ in a process of its own, the first in a batch of its own. */
async function run(
  names: readonly string[],
  { test: each = LONG_MS, file = LONG_MS, total = LONG_MS }: Limits = {},
  whenStarted?: (pid: number) => void,
  variables: NodeJS.ProcessEnv = {},
): Promise<Outcome> {
  // A runner within a test of another runner would do nothing.
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  const env = { ...inherited, ...variables };
  const args = [join(import.meta.dirname, 'fixtures/run.ts'), `${each}`, `${file}`, `${total}`, ...names];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
    if (child.pid !== undefined && `${chunk}`.includes('started')) {
      whenStarted?.(child.pid);
    }
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const status = await new Promise<number | null>((done) => child.on('close', done));
  return { status, stdout, stderr };
}

/** The closing lines. */
function counts(stdout: string): Record<string, number> {
  const lines = [...stdout.matchAll(/^ℹ (\w+) ([\d.]+)$/gm)];
  assert.equal(lines.length, 8, stdout);
  return Object.fromEntries(lines.slice(0, 7).map(([, word, number]) => [word, Number(number)]));
}

const NONE = { tests: 0, suites: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 };

test('two batches have one summary, as of one', LIMIT, async () => {
  const { status, stdout } = await run(['passes', 'passes', 'passes']);
  assert.equal(status, 0);
  assert.deepEqual(counts(stdout), { ...NONE, tests: 6, pass: 3, skipped: 3 });
  assert.match(stdout, /ℹ duration_ms [\d.]+\n*$/);
});

for (const names of [
  ['fails', 'passes'],
  ['passes', 'fails'],
]) {
  test(`a failure is told at the end, and in the status: ${names.join(', ')}`, LIMIT, async () => {
    const { status, stdout } = await run(names);
    assert.equal(status, 1);
    assert.deepEqual(counts(stdout), { ...NONE, tests: 4, pass: 2, fail: 1, skipped: 1 });
    assert.match(stdout, /ℹ duration_ms [\d.]+\n\n✖ failing tests:\n[\s\S]*✖ fails/);
  });
}

/** Runs files with `most` files allowed to run again, and a mark that is not there yet for the unsteady one. */
async function runAgain(names: readonly string[], most: number): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'mapscope-runner-'));
  try {
    const variables = {
      MAPSCOPE_TEST_MARK: join(folder, 'mark'),
      MAPSCOPE_TEST_RUN_AGAIN: `${most}`,
    };
    return await run(names, {}, undefined, variables);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a file that fails by chance runs again where that is asked for, and is named', LIMIT, async () => {
  const { status, stdout, stderr } = await runAgain(['unsteady', 'passes'], 1);
  assert.equal(status, 0);
  assert.match(stdout, /✖ fails the first time/);
  assert.match(stderr, /^unsteady: unsteady\.ts$/m);
});

test('a file that fails by chance has failed where nothing runs again', LIMIT, async () => {
  const { status, stderr } = await runAgain(['unsteady', 'passes'], 0);
  assert.equal(status, 1);
  assert.doesNotMatch(stderr, /unsteady/);
});

test('what fails again has failed, and more failures than allowed do not run again', LIMIT, async () => {
  assert.equal((await runAgain(['unsteady', 'fails'], 2)).status, 1);
  const tooMany = await runAgain(['unsteady', 'fails'], 1);
  assert.equal(tooMany.status, 1);
  assert.doesNotMatch(tooMany.stderr, /again/);
});

test('a test that waits for too long has failed, and the others run', LIMIT, async () => {
  const { status, stdout } = await run(['waits', 'passes'], { test: 500 });
  assert.equal(status, 1);
  assert.match(stdout, /test timed out after 500ms/);
  assert.deepEqual(counts(stdout), { ...NONE, tests: 4, pass: 2, cancelled: 1, skipped: 1 });
});

/** Whether what hangs.ts has started has ended. */
async function childHasEnded(stdout: string): Promise<boolean> {
  const pid = /started (\d+)/.exec(stdout)?.[1];
  assert.ok(pid !== undefined, stdout);
  for (let tries = 0; existsSync(`/proc/${pid}`) && tries < 50; tries++) {
    await delay(100);
  }
  return !existsSync(`/proc/${pid}`);
}

test('a file that hangs is ended with what it has started, and the others run', LIMIT, async () => {
  const { status, stdout, stderr } = await run(['hangs', 'passes'], { file: 6000 });
  assert.equal(status, 1);
  assert.match(stderr, /^mapscope: hangs.ts runs for longer than 0.1 min: ending it$/m);
  assert.deepEqual(counts(stdout), { ...NONE, tests: 3, pass: 1, fail: 1, skipped: 1 });
  assert.ok(await childHasEnded(stdout));
});

test('a run that takes too long ends, and says at what', LIMIT, async () => {
  const { status, stdout, stderr } = await run(['passes', 'hangs', 'hangs'], { total: 6000 });
  assert.equal(status, 1);
  assert.equal(stderr, 'mapscope: the tests take longer than 0.1 min: ending hangs.ts, hangs.ts\n');
  assert.deepEqual(counts(stdout), { ...NONE, tests: 4, pass: 1, cancelled: 2, skipped: 1 });
  assert.ok(await childHasEnded(stdout));
});

test('a run that is interrupted ends with a report', LIMIT, async () => {
  const { status, stdout, stderr } = await run(['passes', 'hangs'], {}, (pid) =>
    process.kill(pid, 'SIGTERM'),
  );
  assert.equal(status, 1);
  assert.equal(stderr, 'mapscope: got SIGTERM: ending hangs.ts\n');
  assert.deepEqual(counts(stdout), { ...NONE, tests: 3, pass: 1, cancelled: 1, skipped: 1 });
});

test('the slowest files are named before the closing lines', LIMIT, async () => {
  const { stdout } = await run(['waits', 'passes', 'fails'], { test: 2000 });
  const lines = stdout.split('\n');
  const start = lines.indexOf('ℹ the slowest files:');
  const named = lines.slice(start + 1, start + 4).map((line) => /^ℹ +([\d.]+) s {2}(\w+)\.ts$/.exec(line));
  assert.deepEqual(
    [
      named[0]?.[2],
      ...named
        .slice(1)
        .map((found) => found?.[2])
        .sort(),
    ],
    ['waits', 'fails', 'passes'],
  );
  const seconds = named.map((found) => Number(found?.[1]));
  assert.ok((seconds[0] ?? 0) >= 2, `${seconds}`);
  assert.deepEqual(
    seconds,
    seconds.toSorted((a, b) => b - a),
  );
  assert.match(lines[start + 4] ?? '', /^ℹ tests /);
});
