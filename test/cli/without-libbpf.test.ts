// The command where the native addon cannot be loaded: what needs no kernel works, the rest says why it does not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mapscope } from '../support/command.ts';

/** Has Node load no addon, with the dynamic linker's words. */
const withoutLibbpf = {
  NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(`process.dlopen = () => {
    const error = new Error('libbpf.so.1: cannot open shared object file: No such file or directory');
    throw Object.assign(error, { code: 'ERR_DLOPEN_FAILED' });
  };`)}`,
};
const sentence =
  'The native addon cannot be loaded: libbpf.so.1: cannot open shared object file: No such file or directory.';

for (const args of [['--help'], ['--version'], ['attach', '--help'], ['completion', 'zsh']]) {
  test(`${args.join(' ')} needs no addon`, async () => {
    const { status, stdout, stderr } = await mapscope(args, { env: withoutLibbpf });
    assert.deepEqual([status, stderr], [0, '']);
    const expected = { '--version': /^\d+\.\d+\.\d+\n$/, completion: /^#compdef mapscope\n/ }[args[0] ?? ''];
    assert.match(stdout, expected ?? /^Usage: mapscope/);
  });
}

test('doctor says what is wrong with the addon', async () => {
  const { status, stdout } = await mapscope(['doctor'], { env: withoutLibbpf });
  assert.equal(status, 3);
  assert.ok(stdout.includes(`  MISSING native addon       ${sentence}\n`), stdout);
  assert.match(stdout, /^ {2}ok +kernel +Linux /m);
});

test('whatever observes says so and ends', async () => {
  const args = ['run', '--', 'node_modules/esbuild-go1.26/bin/esbuild', '--version'];
  const { status, stdout, stderr } = await mapscope(args, { env: withoutLibbpf });
  assert.deepEqual([status, stdout], [3, '']);
  assert.ok(stderr.endsWith(`${sentence}\n`), stderr);
});
