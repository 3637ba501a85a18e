import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BinaryError, openGoBinary } from '../../src/gobinary/index.ts';
import { planProbes } from '../../src/plan/lookups/plan.ts';
import { type PreparationLimits, prepareApart } from '../../src/programs/preparation/prepare-apart.ts';
import { buildOracle } from '../exactness/cells.ts';
import { processorTime } from '../gobinary/measure.ts';
import { ROOT, startCommand } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { until } from '../support/until.ts';
import { withCode, withOther, withoutProof } from './hostile.ts';

const LONG = { timeout: 120_000 };
const running: ChildProcess[] = [];
after(() => {
  for (const child of running) {
    child.kill('SIGKILL');
  }
});

const oracle = await buildOracle({ version: 'local', flavor: 'default' });
const binary = openGoBinary(oracle);
const [fast64] = binary.functionsNamed('runtime.mapaccess1_fast64');
assert.ok(fast64);

/** Of what one crafted function may take, in milliseconds of processor time. */
const MOST_MILLIS = 10_000;

test('a function with a great many sets of candidates is refused soon', LONG, () => {
  const code = withoutProof(fast64.end - fast64.entry);
  const reasons: string[] = [];
  const took = processorTime(() => {
    const plan = planProbes(withCode(binary, new Map([[fast64.entry, code]])));
    reasons.push(...plan.functions.flatMap((fn) => (fn.outcome === 'refused' ? [fn.reason] : [])));
  });
  assert.deepEqual(reasons, ['its paths are too many to choose probe sites from']);
  assert.ok(took < MOST_MILLIS, `${took} ms`);
});

test('functions of any size are refused soon', LONG, () => {
  const size = 1 << 20;
  const grown = { ...fast64, end: fast64.entry + size };
  const named = (name: string) => (name === fast64.name ? [grown] : binary.functionsNamed(name));
  const all = withOther(binary, { functionsNamed: named });
  assert.match(JSON.stringify(planProbes(all)), /mapaccess1_fast64 has more code than 256 KiB/);
  grown.end = fast64.entry + 200_000;
  const sled = new Uint8Array(200_000).fill(0x90);
  const many = withOther(withCode(binary, new Map([[fast64.entry, sled]])), { functionsNamed: named });
  assert.match(JSON.stringify(planProbes(many)), /it has more than 20000 instructions/);
});

test('more functions or sites than there is room for', () => {
  const times = (n: number) =>
    withOther(binary, {
      functionsNamed: (name: string) => binary.functionsNamed(name).flatMap((fn) => new Array(n).fill(fn)),
    });
  const plan = planProbes(times(3));
  assert.ok(plan.sites.length > 20 && plan.sites.length <= 64);
  assert.throws(() => planProbes(times(100)), {
    name: BinaryError.name,
    message: /^\S+ has \d+ map lookup functions, and no Go program more than 32\.$/,
  });
});

async function prepared(limits: Partial<PreparationLimits>) {
  const file = openSync(oracle, 'r');
  const all = { readingMillis: 10_000, cpuSeconds: 60, millis: 60_000, heapMegabytes: 1024, ...limits };
  try {
    return await prepareApart(file, {}, './it', all);
  } finally {
    closeSync(file);
  }
}

test('a preparation that takes more than it may is refused with a sentence', LONG, async () => {
  assert.ok(await prepared({}));
  await assert.rejects(prepared({ readingMillis: 0 }), {
    message: './it cannot be observed: reading what it says of itself takes longer than 0 s.',
    exitStatus: 3,
  });
  await assert.rejects(prepared({ millis: 20 }), {
    message: './it cannot be observed: planning its probe sites takes longer than 0.02 s.',
    exitStatus: 3,
  });
  await assert.rejects(prepared({ heapMegabytes: 4 }), {
    message: './it cannot be observed: planning its probe sites takes more than 4 MB of memory.',
    exitStatus: 3,
  });
});

const LIMITED = `
const { addon } = await import('${ROOT}src/kernel/addon.ts');
addon.limitThisProcess(Number(process.argv[1]));
process.stdout.write('limited');
for (;;) {}`;

test('a process that has used up its CPU time is killed in the middle of a loop', LONG, async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', LIMITED, '2'], { stdio: 'ignore' });
  running.push(child);
  assert.deepEqual(await once(child, 'exit'), [null, 'SIGKILL']);
});

test('and with whoever has started it, also when that is killed', LONG, async () => {
  const starter = `
const { spawn } = require('node:child_process');
const child = spawn(process.execPath, ['--input-type=module', '-e', ${JSON.stringify(LIMITED)}, '60']);
child.stdout.on('data', () => process.stdout.write(String(child.pid)));`;
  const parent = spawn(process.execPath, ['-e', starter], { stdio: ['ignore', 'pipe', 'inherit'] });
  running.push(parent);
  const [pid] = await once(parent.stdout, 'data');
  assert.ok(isRunning(Number(pid)));
  parent.kill('SIGKILL');
  await until(
    () => !isRunning(Number(pid)),
    () => `${pid} goes on`,
  );
});

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

const STEADY = fileURLToPath(new URL('../services/steady', import.meta.url));

for (const command of ['attach', 'verify']) {
  test(`${command}: SIGINT ends it while a program is planned that takes for ever`, LONG, async () => {
    const service = spawn(await buildGo({ dir: STEADY, version: 'local' }), { stdio: 'ignore' });
    running.push(service);
    const child = startCommand([command, '--pid', String(service.pid)]);
    child.stdout.resume();
    running.push(child);
    let preparing: number | undefined;
    await until(
      () => {
        preparing = childOf(child.pid ?? 0);
        // Stopped before its execve it would stop who waits for that.
        return preparing !== undefined && isPreparing(preparing);
      },
      () => 'nothing is prepared',
    );
    assert.ok(preparing !== undefined);
    // It takes for ever, and does not notice that its channel closes.
    process.kill(preparing, 'SIGSTOP');
    const ended = once(child, 'exit');
    const start = performance.now();
    child.kill('SIGINT');
    assert.deepEqual(await ended, [128 + constants.signals.SIGINT, null]);
    // Within a second, but for a machine that is busy with other tests; planning would end after two minutes.
    assert.ok(performance.now() - start < 5000);
    assert.equal(isRunning(preparing), false, 'it goes with mapscope');
    service.kill('SIGKILL');
  });
}

function isPreparing(pid: number): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('prepare-child');
}

function childOf(pid: number): number | undefined {
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const [first] = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ');
    if (first !== undefined && first !== '') {
      return Number(first);
    }
  }
  return undefined;
}
