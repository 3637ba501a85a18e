import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type CommandResult, mapscope } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';

const folder = mkdtempSync(join(tmpdir(), 'mapscope-errors-'));
after(() => rmSync(folder, { recursive: true, force: true }));

let lookups = '';
before(async () => {
  const dir = fileURLToPath(new URL('../services/lookups', import.meta.url));
  lookups = await buildGo({ dir, version: 'local' });
});

/** One line for the user, no stack trace, and the exit status. */
function assertRefused({ status, stderr }: CommandResult, expectedStatus: number, message: RegExp): void {
  const lines = stderr.trimEnd().split('\n');
  assert.match(lines.at(-1) ?? '', message);
  assert.equal(lines.length, 1, stderr);
  assert.equal(status, expectedStatus);
}

test('a pid that does not exist', async () => {
  assertRefused(
    await mapscope(['attach', '--pid', '4000000']),
    3,
    /^mapscope: There is no process 4000000\.$/,
  );
});

test('a process that is no Go program', async () => {
  const child = spawn('sleep', ['60']);
  try {
    const result = await mapscope(['attach', '--pid', String(child.pid)]);
    assertRefused(result, 3, /sleep\) cannot be observed: .* is not a Go program/);
  } finally {
    child.kill();
  }
});

test('a program that is no Go program', async () => {
  assertRefused(await mapscope(['run', '--', '/bin/true']), 3, /true is not a Go program, and neither it/);
});

test('a script', async () => {
  const script = join(folder, 'script');
  writeFileSync(script, '#!/bin/sh\nexit 0\n', { mode: 0o755 });
  assertRefused(await mapscope(['run', '--', script]), 3, /script is not a Go program, and neither it/);
});

test('a program that does not exist', async () => {
  assertRefused(
    await mapscope(['run', '--', './no-such-program']),
    2,
    /There is no executable program \.\/no-such-program/,
  );
});

test('a 32-bit Go program', async () => {
  const dir = fileURLToPath(new URL('../services/lookups', import.meta.url));
  const program = await buildGo({ dir, version: 'local', env: { GOARCH: '386', CGO_ENABLED: '0' } });
  assertRefused(await mapscope(['run', '--', program]), 3, /32-bit/);
});

test('a truncated executable', async () => {
  const program = join(folder, 'truncated');
  copyFileSync(lookups, program);
  writeFileSync(program, readFileSync(lookups).subarray(0, 400_000), { mode: 0o755 });
  assertRefused(await mapscope(['run', '--', program]), 3, /truncated|ends/);
});

test('no rights', async () => {
  // Root without a single capability: files are open to it, the kernel's BPF is not.
  const under = ['setpriv', '--bounding-set=-all', '--inh-caps=-all'];
  assertRefused(await mapscope(['run', '--', lookups], { under }), 3, /CAP_BPF/);
});

test('a kernel without BPF', async () => {
  const program = join(folder, 'without-bpf');
  const source = fileURLToPath(new URL('./fixtures/without-bpf.c', import.meta.url));
  execFileSync('cc', ['-Wall', '-Werror', '-o', program, source]);
  const under = [program];
  assertRefused(await mapscope(['run', '--', lookups], { under }), 3, /kernel.*BPF/);
  const { status, stdout } = await mapscope(['doctor'], { under });
  assert.equal(status, 3);
  assert.match(stdout, /MISSING rights/);
});

test('a configuration with a mistake', async () => {
  const config = join(folder, 'mapscope.yaml');
  writeFileSync(config, 'mode: sometimes\n');
  assertRefused(
    await mapscope(['run', '--config', config, '--', lookups]),
    2,
    /mapscope\.yaml:1:1: mode must be windows or all/,
  );
  writeFileSync(config, 'mod: all\n');
  assertRefused(await mapscope(['run', '--config', config, '--', lookups]), 2, /unknown setting mod/);
  writeFileSync(config, 'a: [\n');
  assertRefused(
    await mapscope(['run', '--config', config, '--', lookups]),
    2,
    /mapscope\.yaml:\d:\d: this is no YAML/,
  );
});

test('options with mistakes', async () => {
  assertRefused(
    await mapscope(['run', '--duration', '10w', '--', lookups]),
    2,
    /--duration must be a duration/,
  );
  assertRefused(await mapscope(['run', '--budget', '200%', '--', lookups]), 2, /--budget must be/);
  assertRefused(await mapscope(['attach']), 2, /either --pid or --exe/);
});

test('the help of attach: the target first, every option under a heading, an example last', async () => {
  const { status, stdout } = await mapscope(['attach', '--help']);
  assert.equal(status, 0);
  const headings = [...stdout.matchAll(/^[A-Z]\w+:$/gm)].map(([heading]) => heading);
  assert.deepEqual(
    [headings.at(0), headings.at(-2), headings.at(-1)],
    ['Target:', 'Options:', 'Example:'],
    stdout,
  );
  assert.match(stdout, /^Target:\n {2}--pid <pid>.*\n {2}--exe <glob>/m);
  assert.match(stdout, /^Options:\n {2}-h, --help .*\n\nExample:\n {2}mapscope attach --exe/m);
});

test('usage that is wrong: a format and process ids that are none', async () => {
  const refused = async (args: readonly string[], message: RegExp) => {
    const { status, stdout, stderr } = await mapscope(args);
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, message);
  };
  await refused(['scan', '--format', 'xyz', lookups], /'xyz' is invalid\. Allowed choices are table, json\./);
  for (const pid of ['0x1', '1e3', '0', '-1', '1.5', '']) {
    await refused(['attach', `--pid=${pid}`], /It must be a process id: a whole number above 0\./);
    await refused(['doctor', `--pid=${pid}`], /It must be a process id: a whole number above 0\./);
  }
});

test('a collector that is not there: the report is written all the same, and the failure said', async () => {
  const args = [
    'run',
    '--format',
    'json',
    '--mode',
    'all',
    '--otlp-endpoint',
    'http://127.0.0.1:9',
    '--',
    'node_modules/esbuild-go1.26/bin/esbuild',
    '--version',
  ];
  const { status, stdout, stderr } = await mapscope(args);
  assert.equal(status, 0);
  assert.match(stdout, /"schema": "mapscope\/summary\/v1"/);
  assert.match(stderr, /warning: Metrics do not reach http:\/\/127\.0\.0\.1:9/);
});

test('a report that cannot be written is refused before anything runs', async () => {
  const esbuild = ['node_modules/esbuild-go1.26/bin/esbuild', '--version'];
  const output = join(folder, 'no', 'such', 'folder');
  for (const command of ['run', 'verify']) {
    const result = await mapscope([command, '--output', output, '--', ...esbuild]);
    assert.equal(result.stdout, '');
    assertRefused(result, 2, /report cannot be written to .*ENOENT/);
  }
  assertRefused(
    await mapscope(['attach', '--output', output, '--pid', String(process.pid)]),
    2,
    /report cannot be written/,
  );
});

test('a report that does not fit where it should go is on stdout', async () => {
  const esbuild = ['node_modules/esbuild-go1.26/bin/esbuild', '--version'];
  const args = ['run', '--format', 'json', '--output', '/dev/full', '--', ...esbuild];
  const result = await mapscope(args);
  assert.match(result.stdout, /"schema": "mapscope\/summary\/v1"/);
  assertRefused(result, 1, /report could not be written to \/dev\/full, so it is on stdout: ENOSPC/);
});
