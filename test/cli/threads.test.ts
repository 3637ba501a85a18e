// Threads that work for JavaScript: enough for the windows of many targets, and nothing of it reaches programs that mapscope starts.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startCommand } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { until } from '../support/until.ts';

const STEADY = fileURLToPath(new URL('../services/steady', import.meta.url));

/** The processes that one has started and not yet outlived, by what they execute. */
function childrenOf(pid: number): { pid: number; command: string }[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return children.map((child) => ({
    pid: Number(child),
    command: readFileSync(`/proc/${child}/cmdline`, 'utf8'),
  }));
}

function poolThreads(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.filter((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8').startsWith('libuv-worker'),
  ).length;
}

test('sixteen threads open windows and read maps, and the program has no variable for that', {
  timeout: 120_000,
}, async (t) => {
  const steady = await buildGo({ dir: STEADY, version: 'local' });
  const command = startCommand(['run', '--', steady, '-rate', '1000', '-duration', '60s']);
  t.after(() => command.kill('SIGKILL'));
  const { pid = 0 } = command;
  const program = () => childrenOf(pid).find(({ command: line }) => line.startsWith(steady));
  await until(() => program() !== undefined, 'the program runs');
  assert.equal(poolThreads(pid), 16);
  const own = program()?.pid ?? 0;
  t.after(() => process.kill(own, 'SIGKILL'));
  assert.doesNotMatch(readFileSync(`/proc/${own}/environ`, 'utf8'), /UV_THREADPOOL_SIZE/);
});
