// Windows by perf events, which kernels without a usable uprobe_multi have.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import { addon } from '../../src/kernel/addon.ts';
import { LookupProgram } from '../../src/programs/lookup-program.ts';
import { prepare } from '../../src/programs/preparation/preparation.ts';
import { LookupService } from '../bench/lookupservice.ts';
import { buildLibrary } from '../native/support.ts';
import { mapscope } from '../support/command.ts';
import { mapped } from '../support/opened.ts';
import { until } from '../support/until.ts';

const LIMIT = { timeout: 120_000 };
const BREAKPOINT = 0xcc;

/** Does something in tracefs, in a mount namespace that ends with it. */
function inTracefs(script: string): string {
  const all = `mount -t tracefs none /mnt && cd /mnt && ${script}`;
  return execFileSync('unshare', ['--mount', 'sh', '-c', all], { encoding: 'utf8' });
}

/** mapscope's trace events for uprobes, of all processes. */
function definedEvents(): string[] {
  const names = inTracefs('cat uprobe_events').matchAll(/^p:mapscope\/(\S+)/gm);
  return [...names].map(([, name = '']) => name);
}

test('breakpoints are in the target while a window is open, and out when it is over', LIMIT, async (t) => {
  const service = await LookupService.start();
  t.after(() => service.stop());
  const target = mapped(service.pid);
  const preparation = prepare(target.binary);
  const before = definedEvents();
  const options = { target, preparation, gated: true, attachMethod: 'perf_event' } as const;
  const program = await LookupProgram.load(options);
  t.after(() => program.close());
  const { sites } = preparation.plan;
  const breakpoints = () =>
    sites.filter(
      ({ address }) => addon.readMemory(service.pid, BigInt(address + target.bias), 1)[0] === BREAKPOINT,
    );
  for (let i = 0; i < 5; i++) {
    let isOver = false;
    // The service makes lookups when it is asked to: until then the window is open.
    const window = program.window({ openSeconds: 60, hitLimit: 50 }).finally(() => {
      isOver = true;
    });
    await until(() => breakpoints().length === sites.length, 'all are in');
    while (!isOver) {
      await service.measure('faststr large hit', 1000);
    }
    const { full, counters } = await window;
    assert.ok(full);
    assert.ok(counters.hits - counters.windowClosed >= 50 * (i + 1));
    assert.deepEqual(breakpoints(), [], 'none is left');
    await service.measure('faststr large hit', 1000);
  }
  assert.equal(definedEvents().length, before.length + sites.length);
  await program.detach();
  assert.deepEqual(definedEvents(), before);
});

test('what a mapscope that was killed has defined is removed by the next one', LIMIT, async (t) => {
  const service = await LookupService.start();
  t.after(() => service.stop());
  const { ino } = statSync('/proc/self/ns/pid');
  const ended = spawnSync('true').pid;
  const gone = `n${ino}_p${ended}_s1_0`;
  // Numbers of another namespace say nothing here.
  const elsewhere = `n${ino + 1}_p${ended}_s1_0`;
  for (const name of [gone, elsewhere]) {
    inTracefs(`echo "p:mapscope/${name} ${service.path}:0x1000" >> uprobe_events`);
  }
  t.after(() => inTracefs(`echo "-:mapscope/${elsewhere}" >> uprobe_events`));
  assert.ok(definedEvents().includes(gone));
  const args = ['attach', '--attach-method', 'perf_event', '--pid', `${service.pid}`, '--duration', '1s'];
  const { status, stderr } = await mapscope(args);
  assert.equal(status, 0, stderr);
  assert.ok(!definedEvents().includes(gone));
  assert.ok(definedEvents().includes(elsewhere));
});

test('where there are no trace events windows are refused with a sentence', LIMIT, async (t) => {
  const service = await LookupService.start();
  t.after(() => service.stop());
  const args = ['attach', '--attach-method', 'perf_event', '--pid', `${service.pid}`, '--duration', '60s'];
  const { status, stderr } = await mapscope(args, {
    env: { LD_PRELOAD: buildLibrary('older_kernel.c'), OLDER_KERNEL: 'tracefs' },
  });
  assert.equal(status, 3, stderr);
  assert.match(
    stderr,
    /^mapscope: Process \d+ cannot be observed in windows: .* cannot mount the file system of trace events: No such device\. --mode all works without that/m,
  );
});
