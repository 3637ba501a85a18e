import assert from 'node:assert/strict';
import { release } from 'node:os';
import { test } from 'node:test';
import { buildLibrary } from '../native/support.ts';
import { mapscope } from '../support/command.ts';

const LIMIT = { timeout: 120_000 };

/** As Linux 5.16 would answer, whatever the number of the kernel here. */
const env = { LD_PRELOAD: buildLibrary('older_kernel.c'), OLDER_KERNEL: 'bpf_loop' };

const sentence = `This kernel, Linux ${release()}, lacks bpf_loop(), which mapscope's BPF programs need.`;

test('what observes ends with a sentence where the kernel lacks what the programs call', LIMIT, async () => {
  const args = ['--', 'node_modules/esbuild-go1.26/bin/esbuild', '--version'];
  for (const command of ['run', 'verify']) {
    const { status, stdout, stderr } = await mapscope([command, ...args], { env });
    assert.deepEqual([status, stdout], [3, '']);
    assert.equal(stderr.replace(/^refused \d+$/gm, '').trim(), `mapscope: ${sentence}`);
  }
});

test('doctor says the same, from trying', LIMIT, async () => {
  const { status, stdout } = await mapscope(['doctor'], { env });
  assert.equal(status, 3);
  assert.ok(stdout.includes(`  MISSING programs           ${sentence}\n`), stdout);
});

test('doctor has loaded the programs where it says that they load', LIMIT, async () => {
  const { status, stdout } = await mapscope(['doctor']);
  assert.equal(status, 0);
  assert.match(stdout, /^ {2}ok +programs +this kernel's verifier takes them$/m);
});
