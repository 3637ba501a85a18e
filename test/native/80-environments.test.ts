// Ends of JavaScript environments while the addon is at work: workers that are terminated, processes that exit.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { addon } from '../../src/kernel/addon.ts';
import {
  buildBpfObject,
  buildProgram,
  exitOf,
  openDescriptors,
  probeObject,
  readHits,
  Target,
} from './support.ts';

const busy = join(import.meta.dirname, 'fixtures/busy.ts');
const objectPath = buildBpfObject('count.bpf.c');
const targetPath = buildProgram('target.c');

const isGone = (pid: number): boolean => {
  const path = `/proc/${pid}/stat`;
  return !existsSync(path) || / Z /.test(readFileSync(path, 'utf8'));
};

async function waitUntilGone(pid: number): Promise<void> {
  for (let i = 0; i < 100 && !isGone(pid); i++) {
    await sleep(10);
  }
  assert.ok(isGone(pid), `process ${pid} is still there`);
}

test('a worker can be terminated whatever it is doing', async () => {
  await using target = new Target(targetPath);
  const observer = probeObject(objectPath);
  await observer.load();
  await observer.attach(target.sites());
  const before = openDescriptors();
  for (const delay of [0, 2, 10, 40, 80]) {
    const worker = new Worker(busy, { argv: [objectPath, targetPath, String(target.pid)] });
    const [child] = await once(worker, 'message');
    await sleep(delay);
    await worker.terminate();
    process.kill(child, 'SIGKILL');
    assert.deepEqual(await exitOf(child), { exitCode: null, signal: 9 });
  }
  await target.call('one', 25);
  assert.deepEqual(await readHits(observer), { 1: 25 }, 'this environment goes on');
  assert.equal(openDescriptors(), before);
  observer.close();
});

test('a worker that ends by itself takes its probes with it', async () => {
  await using target = new Target(targetPath);
  const before = openDescriptors();
  const worker = new Worker(busy, { argv: [objectPath, targetPath, String(target.pid), 'end'] });
  const [child] = await once(worker, 'message');
  await once(worker, 'exit');
  process.kill(child, 'SIGKILL');
  await addon.waitExit(child);
  assert.equal(openDescriptors(), before);
});

/** A process whose main thread never loads the addon, so that it is unloaded with the worker. */
const inWorker = `
  const { Worker } = require('node:worker_threads');
  const [file, ...argv] = process.argv.slice(1);
  new Worker(file, { argv }).on('message', console.log).on('exit', () => setTimeout(() => {}, 100));
`;

for (const [how, status, end, ...flags] of [
  ['process.exit()', 5, 'exit'],
  ['an exception', 1, 'throw'],
  ['the end of a worker', 0, 'exit', '-e', inWorker],
] as const) {
  test(`a program that was not resumed is killed by ${how}`, async () => {
    await using target = new Target(targetPath);
    const args = [...flags, busy, objectPath, targetPath, String(target.pid), end];
    const result = spawnSync(process.execPath, args, { encoding: 'utf8' });
    assert.equal(result.signal, null);
    assert.equal(result.status, status, result.stderr);
    const child = Number(result.stdout);
    assert.ok(child > 0);
    await waitUntilGone(child);
  });
}
