// What README says about installing works, line by line.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ROOT } from '../../tools/package/product.ts';
import { run } from '../../tools/package/run.ts';
import { packed } from './packed.ts';
import { debianCommand } from './system.ts';

const folder = await mkdtemp(join(tmpdir(), 'mapscope-readme-'));
after(() => rm(folder, { recursive: true, force: true }));

const section = /^## Install\n(.*?)^## /ms.exec(readFileSync(join(ROOT, 'README.md'), 'utf8'))?.[1] ?? '';
const blocks = [...section.matchAll(/^```sh\n(.*?)^```/gms)].map(([, text = '']) => text.trim().split('\n'));
const [npm = [], oneFile = [], image = [], kubernetes = []] = blocks;

/** The lines of a block but for packing, which has been done, in a shell that finds what npm has installed. */
async function follow(lines: readonly string[]): Promise<string> {
  assert.match(lines[0] ?? '', /^npm run package( |$)/);
  await packed();
  const env = { npm_config_prefix: folder, PATH: `${join(folder, 'bin')}:${process.env.PATH}` };
  return await run('sh', ['-euc', lines.slice(1).join('\n')], { cwd: ROOT, env });
}

test('there are lines for each way', () => {
  assert.deepEqual(
    blocks.map((lines) => lines.length),
    [3, 2, 2, 1],
  );
});

test('the npm package', async () => {
  assert.match(await follow(npm), /^ {2}ok +rights /m);
});

test('the single executable', async () => {
  assert.match(await follow(oneFile), /^ {2}ok +rights /m);
});

test('the image, with a folder for a registry', async () => {
  await debianCommand('skopeo');
  const copied = join(folder, 'copied');
  await follow(image.map((line) => line.replace(/docker:\/\/\S+/, `dir:${copied}`)));
  const manifest = JSON.parse(readFileSync(join(copied, 'manifest.json'), 'utf8'));
  assert.equal(manifest.layers.length, 1);
});

test('the overlay for Kubernetes is there', () => {
  const overlay = /^kubectl apply -k (\S+)$/.exec(kubernetes[0] ?? '')?.[1] ?? '';
  assert.match(readFileSync(join(ROOT, overlay, 'kustomization.yaml'), 'utf8'), /components\/native-sidecar/);
});
