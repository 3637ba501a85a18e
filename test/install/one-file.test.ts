// The single executable: it runs where there is neither Node nor anything to write to.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CAPABILITIES } from '../../src/base/capabilities.ts';
import { MANIFEST } from '../../tools/package/product.ts';
import { checkInstalled, command, type Mapscope, startService } from './observed.ts';
import { packed } from './packed.ts';
import { debianCommand } from './system.ts';

/** Begins a command below the image's root, in which all is read-only, with mapscope's rights alone. */
async function confined(): Promise<Mapscope> {
  const { root } = await packed();
  const rights = CAPABILITIES.flatMap(({ name }) => ['--cap-add', `CAP_${name}`]);
  return command([
    await debianCommand('bwrap', 'bubblewrap'),
    ...['--ro-bind', root, '/', '--ro-bind', '/proc', '/proc', '--ro-bind', '/sys', '/sys'],
    ...['--dev', '/dev', '--remount-ro', '/dev', '--cap-drop', 'ALL', ...rights, '--chdir', '/'],
    '/usr/bin/mapscope',
  ]);
}

test('the root has nothing but the executable, the C library and a few lines for it', async () => {
  const { root } = await packed();
  assert.deepEqual(readdirSync(join(root, 'usr/bin')), ['mapscope']);
  assert.deepEqual(readdirSync(join(root, 'etc')).sort(), ['group', 'nsswitch.conf', 'passwd']);
});

test('without Node and a writable disk it observes a service', async (context) => {
  const mapscope = await confined();
  assert.equal((await mapscope(['--version'])).stdout, `${MANIFEST.version}\n`);
  await checkInstalled(context, mapscope, (await startService(context)).pid);
});

test('it warns of nothing, and takes its arguments for its own', async () => {
  const mapscope = await confined();
  const { status, stderr } = await mapscope(['--no-such-option']);
  assert.equal(status, 2);
  assert.match(stderr, /unknown option '--no-such-option'/);
  const help = await mapscope(['attach', '--help']);
  assert.deepEqual([help.status, help.stderr], [0, '']);
});
