import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { concerning, KERNEL_LOG, KernelLog, watchKernelLog } from './kernel-log.ts';

const LIMIT = { timeout: 60_000 };

/** Nothing that would make a run fail: others look at the same log. */
const mark = (what: string): string => `mapscope tries out its look at this log: ${what} ${process.pid}`;

test('new warnings are found, what is older or less is not', LIMIT, (context) => {
  writeFileSync(KERNEL_LOG, `<4>${mark('older')}\n`);
  const log = KernelLog.open(KERNEL_LOG);
  context.after(() => log.close());
  writeFileSync(KERNEL_LOG, `<4>${mark('warning')}\n`);
  writeFileSync(KERNEL_LOG, `<2>${mark('worse')}\n`);
  writeFileSync(KERNEL_LOG, `<5>${mark('notice')}\n`);
  const own = (line: string): boolean => line.endsWith(` ${process.pid}`);
  assert.deepEqual(log.warnings().filter(own), [mark('warning'), mark('worse')]);
  assert.deepEqual(log.warnings().filter(own), []);
});

test('what the kernel says of its own faults is told from what others do to the machine', LIMIT, () => {
  const ours = [
    'verifier bug: REG INVARIANTS VIOLATION (true_reg1): range bounds violation u64=[0x0, 0x0]',
    'WARNING: CPU: 1 PID: 18796 at kernel/bpf/verifier.c:2786 reg_bounds_sanity_check+0x17b/0x230',
    'uprobe: test:42 failed to unregister, leaking uprobe',
    'BUG: unable to handle page fault for address: ffffc90006a3f540',
    'rcu: INFO: rcu_sched detected stalls on CPUs/tasks:',
    'watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [shop:1234]',
    'INFO: task mapscope:77 blocked for more than 120 seconds.',
  ];
  const others = [
    'Out of memory: Killed process 4242 (chrome) total-vm:1kB',
    'EXT4-fs (vda): mounted filesystem without journal',
    'TCP: request_sock_TCP: Possible SYN flooding on port 8080.',
    'perf: interrupt took too long (2503 > 2500), lowering kernel.perf_event_max_sample_rate to 79750',
  ];
  assert.deepEqual(concerning([...others, ...ours]), ours);
});

test('a log that cannot be read is said to be left out', LIMIT, () => {
  const said: string[] = [];
  const warnings = watchKernelLog((line) => said.push(line), '/nowhere/kmsg');
  assert.deepEqual(warnings(), []);
  assert.equal(said.length, 1);
  assert.match(said[0] ?? '', /^the kernel's log is not looked at, because it cannot be read: ENOENT/);
});
