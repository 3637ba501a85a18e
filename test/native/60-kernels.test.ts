// Older kernels and fewer rights, in processes of their own whose bpf() calls are made to fail.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { promisify } from 'node:util';
import { REAL_TIME } from '../support/real-time.ts';
import { buildBpfObject, buildLibrary } from './support.ts';

const scenario = join(import.meta.dirname, 'fixtures/scenario.ts');
const preload = buildLibrary('older_kernel.c');
const advice =
  "(BPF probes need root, or CAP_BPF and CAP_PERFMON, and a container's seccomp profile that allows bpf())";

interface Outcome {
  readonly seen: unknown;
  readonly refused: number;
}

async function run(command: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const [program = '', ...args] = command;
  const { stdout, stderr } = await promisify(execFile)(program, args, { env: { ...process.env, ...env } });
  return { seen: JSON.parse(stdout), refused: Number(/refused (\d+)/.exec(stderr)?.[1] ?? 0) };
}

const onKernelWithout = (missing: string, name: string) =>
  run([process.execPath, scenario, name], { LD_PRELOAD: preload, OLDER_KERNEL: missing });

/** Still uid 0, but without any capability. */
const withoutCapabilities = (name: string) =>
  run(['setpriv', '--bounding-set=-all', '--inh-caps=-all', process.execPath, scenario, name]);

const withCapabilities = (names: readonly string[], name: string) => {
  const list = names.map((capability) => `+${capability}`).join(',');
  return run(['setpriv', `--bounding-set=-all,${list}`, '--inh-caps=-all', process.execPath, scenario, name]);
};

const everything = {
  uprobeMulti: true,
  sleepableUprobes: true,
  realTime: REAL_TIME,
  bpf: true,
  bpfError: '',
  missingHelpers: [],
};
const nothing = {
  uprobeMulti: false,
  sleepableUprobes: false,
  realTime: REAL_TIME,
  bpf: false,
  missingHelpers: [],
};

suite('kernels and rights', { concurrency: 4 }, () => {
  test('maps are filled and read one by one where there are no batches', async () => {
    const expected = {
      counts: [
        [1, 3, 15],
        [2, 4, 24],
      ],
      count: 3,
      drained: [2, 0],
    };
    assert.deepEqual((await run([process.execPath, scenario, 'maps'])).seen, expected);
    const { seen, refused } = await onKernelWithout('batches', 'maps');
    assert.deepEqual(seen, expected);
    assert.equal(refused, 5, 'one update, two reads and two drains were refused');
  });

  test('a kernel without uprobe_multi is told from one that has it', async () => {
    assert.deepEqual((await onKernelWithout('uprobe_multi', 'features')).seen, {
      ...everything,
      uprobeMulti: false,
    });
  });

  test('uprobe_multi that filters by thread does not count', async () => {
    assert.deepEqual((await onKernelWithout('process_filter', 'features')).seen, {
      ...everything,
      uprobeMulti: false,
    });
  });

  test('functions that the kernel does not have are named', async () => {
    assert.deepEqual((await onKernelWithout('bpf_loop', 'features')).seen, {
      ...everything,
      missingHelpers: ['bpf_loop()'],
    });
  });

  test('a kernel without bpf() is named', async () => {
    const bpfError = 'this kernel has no bpf() system call: it was built without CONFIG_BPF_SYSCALL';
    assert.deepEqual((await onKernelWithout('bpf', 'features')).seen, { ...nothing, bpfError });
  });

  test('missing rights are named', async () => {
    const refusal = `Operation not permitted ${advice}`;
    const features = { ...nothing, bpfError: `this process cannot use BPF: ${refusal}` };
    assert.deepEqual((await onKernelWithout('rights', 'features')).seen, features);
    assert.deepEqual((await withoutCapabilities('features')).seen, { ...features, realTime: false });
    assert.equal(
      (await withoutCapabilities('load')).seen,
      `cannot load the BPF object ${buildBpfObject('count.bpf.c')}: ${refusal}`,
    );
  });

  test('CAP_BPF and CAP_PERFMON are enough, but not for perf events', async () => {
    const rights = ['bpf', 'perfmon'];
    assert.deepEqual((await withCapabilities(rights, 'features')).seen, { ...everything, realTime: false });
    assert.deepEqual((await withCapabilities([...rights, 'sys_nice'], 'features')).seen, everything);
    assert.deepEqual(
      (await withCapabilities(rights, 'maps')).seen,
      (await run([process.execPath, scenario, 'maps'])).seen,
    );
    assert.match(
      String((await withCapabilities(rights, 'perfEvents')).seen),
      /^cannot attach to the instruction at offset 0x.* \(uprobes through perf events need CAP_SYS_ADMIN\)$/,
    );
  });
});
