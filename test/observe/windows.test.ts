import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { addon } from '../../src/kernel/addon.ts';
import { RecordReader } from '../../src/kernel/records.ts';
import { CostMeter } from '../../src/observe/cost/cost-meter.ts';
import { Observation } from '../../src/observe/observation.ts';
import { LookupProgram } from '../../src/programs/lookup-program.ts';
import { prepare } from '../../src/programs/preparation/preparation.ts';
import { readCounters } from '../../src/programs/readers/counters.ts';
import { CASES, LookupService } from '../bench/lookupservice.ts';
import { median } from '../bench/statistics.ts';
import { buildLibrary, METHODS } from '../native/support.ts';
import { endOf } from '../support/accounts.ts';
import { mapscope } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { mapped, opened } from '../support/opened.ts';
import { REAL_TIME } from '../support/real-time.ts';
import { until } from '../support/until.ts';

const STEADY = join(import.meta.dirname, '../services/steady');

const GATE_FIELDS = ['window', 'hit_limit', 'open'] as const;

/** Starts the steady service; it makes lookups when this resolves, and is ended with the test. */
async function steady(
  t: TestContext,
  rate: number,
): Promise<{ pid: number; path: string; child: ChildProcess }> {
  const path = await buildGo({ dir: STEADY, version: 'local' });
  const child = spawn(path, ['-rate', `${rate}`, '-goroutines', '2'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) {
      await once(child, 'exit');
    }
  });
  await once(child.stdout ?? assert.fail(), 'data');
  return { pid: child.pid ?? assert.fail(), path, child };
}

test('hits are decoded while a window is open, and all others are counted', async (t) => {
  const { pid } = await steady(t, 0);
  const target = mapped(pid);
  const program = await LookupProgram.load({ target, preparation: prepare(target.binary), gated: true });
  t.after(() => program.close());
  const many = await program.window({ openSeconds: 0.05, hitLimit: 1e9 });
  assert.ok(!many.full);
  assert.ok(many.openSeconds >= 0.05);
  const decoded = many.counters.hits - many.counters.windowClosed;
  assert.ok(decoded > 100, `${decoded}`);

  const few = await program.window({ openSeconds: 60, hitLimit: 50 });
  assert.ok(few.full, 'it ends at the hit limit, long before its time');
  assert.ok(few.openSeconds < 30);
  const more = few.counters.hits - few.counters.windowClosed - decoded;
  // Each CPU may have had up to as many; one that was in the middle of a hit may have had one more.
  assert.ok(more >= 50, `${more}`);
  assert.ok(more <= 52 * Number(navigator.hardwareConcurrency), `${more}`);

  const after = await readCounters(program.kernel);
  assert.equal(after.hits, few.counters.hits, 'nothing is hit when a window is over');
  assert.ok(
    after.timedHits > decoded / 64 && after.timedHits < decoded / 4,
    `${after.timedHits} of ${decoded}`,
  );
});

test('each process that runs the file makes a window keep locks for longer', async (t) => {
  const { pid } = await steady(t, 1000);
  const target = mapped(pid);
  const program = await LookupProgram.load({ target, preparation: prepare(target.binary), gated: true });
  t.after(() => program.close());
  // Which sites are busy is known then: the same ones go in on their own in all that follow.
  await program.window({ openSeconds: 0.5, hitLimit: 1e9 });
  const shortest = async () => {
    const seconds: number[] = [];
    for (let i = 0; i < 25; i++) {
      const { lockedSeconds } = await program.window({ openSeconds: 0.0005, hitLimit: 100 });
      assert.ok(lockedSeconds !== null && lockedSeconds > 0);
      seconds.push(lockedSeconds);
    }
    return Math.min(...seconds);
  };
  const alone = await shortest();
  assert.ok(alone < 0.01, `${alone} s`);
  await Promise.all(Array.from({ length: 80 }, () => steady(t, 1)));
  const among = await shortest();
  assert.ok(among > 1.3 * alone, `${among} s, alone ${alone} s`);
});

test('number and limit of a window are written before anything is attached, for a hit may see half of an update', async (t) => {
  const { pid, child } = await steady(t, 0);
  const target = mapped(pid);
  const program = await LookupProgram.load({ target, preparation: prepare(target.binary), gated: true });
  t.after(() => program.close());
  const record = new RecordReader('window_gate');
  const gate = async () => {
    const { values } = await program.kernel.readSharedMap('window_gates');
    return GATE_FIELDS.map((field) => record.number(values, 0, field));
  };
  await program.window({ openSeconds: 60, hitLimit: 50 });
  assert.deepEqual(await gate(), [1, 50, 0]);

  child.kill('SIGKILL');
  await once(child, 'exit');
  await assert.rejects(program.window({ openSeconds: 60, hitLimit: 60 }), { code: 'ESRCH' });
  assert.deepEqual(await gate(), [2, 60, 0]);
});

test('mode all opens its gate with an update of nothing else', async (t) => {
  const { pid } = await steady(t, 0);
  const target = mapped(pid);
  const program = await LookupProgram.load({ target, preparation: prepare(target.binary), gated: true });
  t.after(() => program.close());
  const record = new RecordReader('window_gate');
  const seen: string[] = [];
  const { attach, updateMap } = program.kernel;
  const noteAttach = async (...args: Parameters<typeof attach>) => {
    await attach.apply(program.kernel, args);
    seen.push('attached');
  };
  const noteUpdate = (...args: Parameters<typeof updateMap>) => {
    const [number, limit, open] = GATE_FIELDS.map((field) => record.number(Buffer.from(args[2]), 0, field));
    seen.push(`window ${number} limit ${limit} open ${open}`);
    updateMap.apply(program.kernel, args);
  };
  // Methods of the addon cannot be assigned to.
  Object.defineProperty(program.kernel, 'attach', { value: noteAttach });
  Object.defineProperty(program.kernel, 'updateMap', { value: noteUpdate });
  await program.attach();
  const settings = `window 1 limit ${2 ** 63}`;
  assert.deepEqual(seen, [`${settings} open 0`, 'attached', `${settings} open 1`]);
});

/** Scheduling policy of each thread of this process: SCHED_OTHER is 0, SCHED_FIFO is 1. */
function policies(): string[] {
  // Fields from the third on, after the name in parentheses (proc_pid_stat(5)).
  const fields = (thread: string) =>
    readFileSync(`/proc/self/task/${thread}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  return readdirSync('/proc/self/task').map((thread) => fields(thread)[41 - 3] ?? assert.fail());
}

test('the thread of a window comes before all others until nothing is attached any more', async (t) => {
  const service = await LookupService.start();
  t.after(() => service.stop());
  const target = mapped(service.pid);
  const preparation = prepare(target.binary);
  const program = await LookupProgram.load({ target, preparation, gated: true });
  t.after(() => program.close());
  const [site = assert.fail()] = preparation.plan.sites;
  const isAttached = () => addon.readMemory(service.pid, BigInt(site.address + target.bias), 1)[0] === 0xcc;
  assert.deepEqual(new Set(policies()), new Set(['0']));
  let isOver = false;
  // The service makes lookups when it is asked to: until then the window is open.
  const window = program.window({ openSeconds: 60, hitLimit: 50 }).finally(() => {
    isOver = true;
  });
  await until(isAttached, 'breakpoints are in');
  assert.equal(policies().filter((policy) => policy === '1').length, REAL_TIME ? 1 : 0);
  while (!isOver) {
    await service.measure('fast64 large hit', 1000);
  }
  assert.ok((await window).full);
  assert.deepEqual(new Set(policies()), new Set(['0']));
});

/** Learned cost over what the target used more, for a round of all cases. */
async function learnedOverUsed(
  service: LookupService,
  program: LookupProgram,
  meter: CostMeter,
): Promise<number> {
  let learned = 0;
  let used = 0;
  for (const one of CASES) {
    const before = { cpu: addon.cpuSeconds(service.pid), hits: (await readCounters(program.kernel)).hits };
    await service.measure(one, 10_000);
    used += addon.cpuSeconds(service.pid) - before.cpu;
    const counters = await readCounters(program.kernel);
    meter.learn(counters);
    const { trap, decode } = meter.costs;
    learned += (counters.hits - before.hits) * (trap + decode);
  }
  return learned / used;
}

test('what a hit costs is learned: it agrees with the CPU time that the target uses more', async (t) => {
  const service = await LookupService.start();
  t.after(() => service.stop());
  const target = mapped(service.pid);
  const preparation = prepare(target.binary);
  const program = await LookupProgram.load({ target, preparation });
  t.after(() => program.close());
  const meter = new CostMeter(program.attachMethod, program.sites);
  await meter.refresh();
  await program.attach();
  // What else runs slows a round down, or the measurement of a trap: the middle one of several tells.
  const ratios: number[] = [];
  for (let round = 0; round < 7; round++) {
    ratios.push(await learnedOverUsed(service, program, meter));
    await meter.refresh();
  }
  await program.detach();
  assert.ok(meter.measured);
  t.diagnostic(`learned / used: ${ratios.map((ratio) => ratio.toFixed(2))}`);
  const middle = median(ratios);
  assert.ok(middle > 0.75 && middle < 1.6, `${middle}`);
});

for (const attachMethod of METHODS) {
  test(`${attachMethod}: the cost of windows is measured and within the budget`, async (t) => {
    const { pid } = await steady(t, 200_000);
    const observation = await Observation.start({
      ...opened(pid),
      mode: 'windows',
      budget: 0.01,
      attachMethod,
    });
    let snapshot = await observation.snapshot();
    const patience = performance.now() + 60_000;
    while (
      performance.now() < patience &&
      (snapshot.windows < 12 || (snapshot.overhead.targetCpuSeconds ?? 0) < 1)
    ) {
      await wait(200);
      snapshot = await observation.snapshot();
    }
    snapshot = await endOf(observation);
    const { overhead } = snapshot;
    const used = overhead.targetCpuSeconds ?? assert.fail('the target lives');
    const share = overhead.costSeconds / used;
    t.diagnostic(`${(100 * share).toFixed(2)} % in ${snapshot.windows} windows, ${JSON.stringify(overhead)}`);
    assert.ok(snapshot.windows >= 12);
    assert.ok(overhead.measured);
    assert.ok(overhead.trapSeconds > 1e-8 && overhead.trapSeconds < 5e-5);
    // The first window opens before anything has been saved up, and the floor allows a little more.
    assert.ok(overhead.costSeconds <= 0.01 * used + 0.01, `${share}`);
    assert.equal(overhead.hits, overhead.decodedHits + snapshot.notDecoded);
    assert.ok(snapshot.callSites.reduce((sum, site) => sum + site.estimatedLookups, 0) > snapshot.observed);
  });
}

test('an attach that fails while the target lives ends the observation with a sentence', async (t) => {
  const { pid, child } = await steady(t, 1000);
  const preload = { LD_PRELOAD: buildLibrary('older_kernel.c'), OLDER_KERNEL: 'memory_later' };
  const { status, stdout, stderr } = await mapscope(['attach', '--pid', `${pid}`, '--duration', '60s'], {
    env: preload,
  });
  assert.equal(status, 1, stderr);
  assert.match(
    stderr,
    /^mapscope: Observing process \d+ failed: cannot attach .*: Cannot allocate memory\.$/m,
  );
  assert.doesNotMatch(stderr, /^ +at /m, 'no stack');
  assert.match(stdout, /Cost: about/, 'what was seen before is reported');
  assert.equal(child.exitCode, null, 'the target lives on');
});

test('the same for a program that was started: it runs on, and its end is awaited', async () => {
  const path = await buildGo({ dir: STEADY, version: 'local' });
  const { status, stdout, stderr } = await mapscope(['run', '--', path, '-rate', '1000', '-duration', '8s'], {
    env: { LD_PRELOAD: buildLibrary('older_kernel.c'), OLDER_KERNEL: 'memory_later' },
  });
  assert.equal(status, 1, stderr);
  assert.match(stderr, /^mapscope: Observing process \d+ failed: cannot attach /m);
  assert.match(stdout, /^lookups \d+$/m, 'the program said its last word');
  assert.match(stdout, /exit status 0/);
});
