// Starting a program without letting it run, waiting for its end, reading its memory.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { addon } from '../../src/kernel/addon.ts';
import { until } from '../support/until.ts';
import { buildProgram, exitOf, openDescriptors, processStatus } from './support.ts';

const targetPath = buildProgram('target.c');
const tracerPath = buildProgram('tracer.c');
const LIMIT = { timeout: 120_000 };
const addonPath = new URL('../../src/kernel/addon.ts', import.meta.url).href;
const { SIGCONT, SIGKILL, SIGSTOP, SIGTERM } = constants.signals;

const spawnShell = (script: string, env: readonly string[] = []): number =>
  addon.spawnStopped({ file: '/bin/sh', args: ['sh', '-c', script], env });

const readProc = (pid: number, name: string): string => readFileSync(`/proc/${pid}/${name}`, 'utf8');

/** Also true for a zombie, which nobody has waited for. */
function hasEnded(pid: number): boolean {
  try {
    return processStatus(pid, 'State').startsWith('Z');
  } catch {
    return true;
  }
}

/** Address at which the kernel starts a dynamically linked program: the entry point of its interpreter. */
function entryPoint(pid: number): bigint {
  const [, start, path] = /^(\w+)-.* (\/.*\/ld-.*)$/m.exec(readProc(pid, 'maps')) ?? [];
  assert.ok(start && path, 'the interpreter is mapped');
  return BigInt(`0x${start}`) + readFileSync(path).readBigUInt64LE(24); // e_entry
}

test('a spawned program is stopped at its very first instruction', async () => {
  const proofs = ['stopped', 'resumed'].map((name) => join(tmpdir(), `mapscope-${name}-${process.pid}`));
  const pid = addon.spawnStopped({ file: targetPath, args: ['target', 'one', '1'], env: ['A=b', 'C=d e'] });
  const [, , , , , , , , pc = ''] = readProc(pid, 'syscall').trim().split(' ');
  assert.equal(BigInt(pc), entryPoint(pid));
  assert.equal(processStatus(pid, 'State'), 't (tracing stop)');
  assert.equal(readProc(pid, 'cmdline'), 'target\0one\x001\0');
  assert.equal(readProc(pid, 'environ'), 'A=b\0C=d e\0');
  assert.match(readProc(pid, 'maps'), /\/target$/m, 'its file is mapped');
  addon.resume(pid);
  assert.equal(processStatus(pid, 'TracerPid'), '0');
  const { cpuSeconds, ...status } = await addon.waitExit(pid);
  assert.deepEqual(status, { exitCode: 7, signal: null });
  assert.ok(cpuSeconds !== null && cpuSeconds > 0 && cpuSeconds < 10, `${cpuSeconds} s of CPU time`);

  const [stopped = 0, resumed = 0] = proofs.map((proof) => spawnShell(`echo ran > ${proof}`));
  // While it is stopped, another one that was started after it lives all its life.
  addon.resume(resumed);
  await addon.waitExit(resumed);
  assert.deepEqual(proofs.map(existsSync), [false, true]);
  assert.equal(processStatus(stopped, 'State'), 't (tracing stop)');
  addon.resume(stopped);
  await addon.waitExit(stopped);
  assert.deepEqual(proofs.map(existsSync), [true, true]);
  for (const proof of proofs) {
    rmSync(proof);
  }
});

test('a spawned program has default signals and the standard streams only', async () => {
  const pid = spawnShell('exit 0');
  for (const mask of ['SigBlk', 'SigIgn', 'SigCgt', 'SigPnd']) {
    assert.equal(BigInt(`0x${processStatus(pid, mask)}`), 0n, mask);
  }
  assert.deepEqual(readdirSync(`/proc/${pid}/fd`), ['0', '1', '2']);
  for (const fd of [0, 1, 2]) {
    const flags = /flags:\s*0?(\d+)/.exec(readProc(pid, `fdinfo/${fd}`))?.[1] ?? '';
    assert.equal(Number.parseInt(flags, 8) & (0o4000 | 0o2000000), 0, 'blocking, and not close-on-exec');
  }
  addon.resume(pid);
  await addon.waitExit(pid);
});

for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT'] as const) {
  test(`a program that has not been resumed does not outlive ${signal} to whoever started it`, async () => {
    const script = `
      const { addon } = await import(${JSON.stringify(addonPath)});
      const pid = addon.spawnStopped({ file: '/bin/sh', args: ['sh', '-c', 'echo ran'], env: [] });
      process.stdout.write(pid + '\\n');
      setInterval(() => {}, 1000);`;
    const starter = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(starter.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    assert.equal(processStatus(pid, 'State'), 't (tracing stop)');
    let more = '';
    starter.stdout.on('data', (text: Buffer) => {
      more += text;
    });
    starter.kill(signal);
    // The pipe closes when the last process that holds it closes it: also the program, on its way out.
    await once(starter, 'close');
    assert.equal(more, '');
    await until(() => hasEnded(pid), 'the program ends');
  });
}

test('exit statuses and signals are told apart', async () => {
  const ends = [
    ['exit 0', { exitCode: 0, signal: null }],
    ['exit 255', { exitCode: 255, signal: null }],
    ['kill -TERM $$', { exitCode: null, signal: SIGTERM }],
    ['kill -ABRT $$', { exitCode: null, signal: constants.signals.SIGABRT }],
  ] as const;
  for (const [script, expected] of ends) {
    const pid = spawnShell(`ulimit -c 0; ${script}`);
    addon.resume(pid);
    assert.deepEqual(await exitOf(pid), expected, script);
  }
});

test('stopping and going on are no ends', async () => {
  const pid = spawnShell('sleep 0.2; exit 3');
  const ended = exitOf(pid);
  addon.resume(pid);
  process.kill(pid, SIGSTOP);
  await sleep(20);
  process.kill(pid, SIGCONT);
  assert.deepEqual(await ended, { exitCode: 3, signal: null });
});

test('a stopped program can be killed without ever running', async () => {
  const pid = spawnShell('exit 0');
  process.kill(pid, SIGKILL);
  assert.deepEqual(await exitOf(pid), { exitCode: null, signal: SIGKILL });
});

test('many waits do not keep other work from running', async () => {
  const pids = Array.from({ length: 12 }, () => spawnShell('exit 1'));
  const ended = Promise.all(pids.map((pid) => addon.waitExit(pid)));
  assert.match(await readFile(import.meta.filename, 'utf8'), /many waits/); // by libuv's pool
  pids.forEach((pid) => {
    addon.resume(pid);
  });
  assert.deepEqual(new Set((await ended).map(({ exitCode }) => exitCode)), new Set([1]));
});

/**
 * Kills a process that a debugger traces, which takes no note of that: until it has, nobody else can.
 *
 * @returns what ends the debugger
 */
async function killUnderTracer(context: TestContext, pid: number): Promise<() => void> {
  const tracer = spawn(tracerPath, [String(pid)], { stdio: ['pipe', 'pipe', 'inherit'] });
  context.after(() => void tracer.kill('SIGKILL'));
  assert.equal(String(await once(tracer.stdout, 'data')), 'traces\n');
  process.kill(pid, SIGKILL);
  await until(() => hasEnded(pid), 'it ends');
  return () => void tracer.stdin.end();
}

test('the end of a child that a debugger traces is told when that has taken note', LIMIT, async (context) => {
  const pid = spawnShell('exec sleep 1000');
  addon.resume(pid);
  let told = false;
  const ended = exitOf(pid).finally(() => {
    told = true;
  });
  const endTracer = await killUnderTracer(context, pid);
  assert.equal(told, false);
  endTracer();
  assert.deepEqual(await ended, { exitCode: null, signal: SIGKILL });
});

test('a child that a debugger traces does not keep an environment from its end', LIMIT, async (context) => {
  const script = `
    const { parentPort } = require('node:worker_threads');
    import(${JSON.stringify(addonPath)}).then(({ addon }) => {
      const pid = addon.spawnStopped({ file: '/bin/sh', args: ['sh', '-c', 'exec sleep 1000'], env: [] });
      addon.resume(pid);
      addon.waitExit(pid);
      parentPort.postMessage(pid);
    });`;
  const worker = new Worker(script, { eval: true });
  const [pid] = await once(worker, 'message');
  const endTracer = await killUnderTracer(context, pid);
  await worker.terminate();
  assert.equal(hasEnded(pid), true);
  endTracer();
  assert.deepEqual(await exitOf(pid), { exitCode: null, signal: SIGKILL });
});

test('what cannot be started says why', () => {
  const attempts = [
    ['/nowhere/program', 'ENOENT', 'cannot start /nowhere/program: No such file or directory'],
    [import.meta.filename, 'EACCES', `cannot start ${import.meta.filename}: Permission denied`],
    ['/', 'EACCES', 'cannot start /: Permission denied'],
  ] as const;
  for (const [file, code, message] of attempts) {
    assert.throws(() => addon.spawnStopped({ file, args: [file], env: [] }), {
      name: 'Error',
      code,
      message,
    });
  }
  const nul = { file: '/bin/true', args: ['a\0b'], env: [] };
  assert.throws(() => addon.spawnStopped(nul), {
    name: 'TypeError',
    message: 'spawnStopped: options.args[0] must be a string without NUL characters',
  });
});

test('processes that are not ours, or not there, cannot be waited for or resumed', async () => {
  const gone = 2 ** 31 - 1;
  await assert.rejects(addon.waitExit(process.pid), {
    code: 'ECHILD',
    message: `cannot wait for process ${process.pid}: No child processes`,
  });
  const pid = spawnShell('exit 0');
  addon.resume(pid);
  await addon.waitExit(pid);
  await assert.rejects(addon.waitExit(pid), { code: 'ECHILD' }, 'reaped already');
  assert.throws(() => addon.resume(gone), {
    code: 'ESRCH',
    message: `cannot resume process ${gone}: No such process`,
  });
});

test('memory of a process is read, whole or not at all', async () => {
  const pid = addon.spawnStopped({ file: targetPath, args: ['target', 'one', '1'], env: [] });
  const [, start = '', end = ''] = /^(\w+)-(\w+) .* \[stack\]$/m.exec(readProc(pid, 'maps')) ?? [];
  const stackStart = BigInt(`0x${start}`);
  const stackEnd = BigInt(`0x${end}`);

  const top = addon.readMemory(pid, stackEnd - 64n, 64);
  assert.equal(top.length, 64);
  assert.match(top.toString('latin1'), /\/target\0/, 'the kernel puts the file name at the end of the stack');
  assert.equal(
    addon
      .readMemory(pid, stackStart, Number(stackEnd - stackStart))
      .subarray(-64)
      .compare(top),
    0,
  );
  assert.equal(addon.readMemory(pid, 0n, 0).length, 0);

  assert.throws(() => addon.readMemory(pid, 16n, 8), {
    code: 'EFAULT',
    message: `cannot read 8 bytes at 0x10 of process ${pid}: Bad address`,
  });
  assert.throws(() => addon.readMemory(pid, stackEnd - 24n, 32), {
    code: 'EFAULT',
    message: `cannot read 32 bytes at 0x${(stackEnd - 24n).toString(16)} of process ${pid}, only 24: Bad address`,
  });
  assert.throws(() => addon.readMemory(pid, 2n ** 64n - 8n, 8), { code: 'EFAULT' });
  assert.throws(() => addon.readMemory(pid, 2n ** 64n, 8), { name: 'TypeError' });
  process.kill(pid, SIGKILL);
  await addon.waitExit(pid);
  assert.throws(() => addon.readMemory(pid, stackEnd - 64n, 64), {
    code: 'ESRCH',
    message: `cannot read 64 bytes at 0x${(stackEnd - 64n).toString(16)} of process ${pid}: No such process`,
  });
});

test('the end of any process is told once, unless the watch was ended before', async () => {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  const [pid, before] = [child.pid ?? 0, openDescriptors()];
  let told = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = addon.watchEnd(pid, () => {
    told++;
    resolve();
  });
  const stopEarly = addon.watchEnd(pid, () => assert.fail('this watch was ended'));
  stopEarly();
  stopEarly();
  assert.equal(told, 0);
  child.kill('SIGKILL');
  await promise;
  stop();
  await sleep(0);
  assert.equal(told, 1);
  assert.equal(openDescriptors(), before);
});

test('a process that has ended cannot be watched', async () => {
  const pid = spawnShell('exit 0');
  addon.resume(pid);
  await addon.waitExit(pid);
  assert.throws(() => addon.watchEnd(pid, () => {}), { code: 'ESRCH', message: /cannot watch process \d+/ });
  assert.throws(() => addon.watchEnd(pid, 'no function' as never), TypeError);
});

test('a watch does not keep Node from exiting', () => {
  const script = `const { addon } = await import(${JSON.stringify(addonPath)}); addon.watchEnd(${process.pid}, () => {});`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.equal(status, 0, stderr);
});
