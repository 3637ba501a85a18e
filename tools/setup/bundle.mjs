// The command as few files of plain JavaScript: src/cli/main.ts and what it needs -> build/cli.
//
// Node runs the sources as they are, but pays for it: the compiler that takes the types out stays in memory (40 MB), and so does
// all of the packages of which little is used (another 20 MB). A sidecar has 100 MB. And what is installed is these files alone.

import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { run, SetupError } from './commands.mjs';
import { filesBelow, fingerprint, stampIs, writeStamp } from './fingerprint.mjs';

/** Each becomes a file of its own name; what they share is in others beside them. */
const ENTRIES = [join('src', 'cli', 'main.ts'), join('src', 'programs', 'preparation', 'prepare-child.ts')];

const COMMON_FLAGS = [
  '--bundle',
  '--platform=node',
  '--target=node24',
  '--minify-whitespace',
  '--minify-syntax',
  '--log-level=error',
];

const FLAGS = [
  ...COMMON_FLAGS,
  '--splitting',
  '--format=esm',
  '--entry-names=[name]',
  '--out-extension:.js=.mjs',
  // OpenTelemetry's exporter finds it with a `require` of its own making, through which no bundler looks.
  '--external:@grpc/grpc-js',
  // Some packages ask for Node's modules with `require`, and for files beside their own, which modules of JavaScript do not have.
  "--banner:js=import{createRequire as requireFrom}from'node:module';const require=requireFrom(import.meta.url),__dirname=import.meta.dirname;",
];

/** The package that stays one, bundled by itself with all that it needs, and its first file. */
const APART = { name: '@grpc/grpc-js', entry: 'build/src/index.js' };

/** What packages read beside their own file. The bundle takes nothing else from node_modules: it is all that is installed. */
const FILES_BESIDE = ['iced-x86/iced_x86_bg.wasm'];

const folder = (checkout) => join(checkout, 'build', 'cli');
const stampFile = (checkout) => join(folder(checkout), '.mapscope-stamp');

/** For packing only: in a checkout the package itself is found. */
const apartFolder = (checkout) => join(checkout, 'build', 'packages', 'node_modules', APART.name);

/** The packages are known by the lock file. */
function sourcesHash(checkout) {
  const sources = filesBelow(join(checkout, 'src')).filter((file) => file.endsWith('.ts'));
  const parameters = [...ENTRIES, ...FLAGS, ...Object.values(APART), ...FILES_BESIDE];
  return fingerprint(checkout, [join(checkout, 'package-lock.json'), ...sources], parameters);
}

export const bundle = {
  title: 'bundling the command',
  needsSystemPackages: false,

  isCurrent(checkout) {
    if (!ENTRIES.every((entry) => existsSync(join(checkout, entry)))) {
      return true;
    }
    return stampIs(stampFile(checkout), sourcesHash(checkout));
  },

  async make(checkout) {
    const hash = sourcesHash(checkout);
    rmSync(folder(checkout), { recursive: true, force: true });
    await bundleFiles(checkout, ENTRIES, folder(checkout));
    await bundleApart(checkout);
    writeStamp(stampFile(checkout), hash);
  },
};

/**
 * Bundles sources of the checkout as the command is bundled.
 *
 * @param {string} checkout
 * @param {readonly string[]} entries relative to the checkout; each becomes a file of its own name
 * @param {string} into the folder, which is to lie as deep in a checkout as build/cli
 */
export async function bundleFiles(checkout, entries, into) {
  mkdirSync(into, { recursive: true });
  await esbuild(checkout, [
    ...entries,
    ...FLAGS,
    `--outdir=${into}`,
    `--metafile=${join(into, 'meta.json')}`,
  ]);
  for (const file of FILES_BESIDE) {
    copyFileSync(join(checkout, 'node_modules', file), join(into, basename(file)));
  }
}

async function bundleApart(checkout) {
  const [from, into] = [join('node_modules', APART.name), apartFolder(checkout)];
  mkdirSync(into, { recursive: true });
  await esbuild(checkout, [
    join(from, APART.entry),
    ...COMMON_FLAGS,
    '--format=cjs',
    `--outfile=${join(into, 'index.js')}`,
    `--metafile=${join(checkout, 'build', 'packages', 'meta.json')}`,
  ]);
  const { name, version, license } = JSON.parse(readFileSync(join(checkout, from, 'package.json'), 'utf8'));
  writeFileSync(join(into, 'package.json'), JSON.stringify({ name, version, license, main: 'index.js' }));
}

/** Runs esbuild in the checkout. Throws a SetupError when it fails. */
export async function esbuild(checkout, args) {
  // The program itself, not node_modules/esbuild/bin: which kind of file that is depends on whether install scripts ran.
  const program = join(checkout, 'node_modules', '@esbuild', `linux-${process.arch}`, 'bin', 'esbuild');
  const result = await run(program, args, { cwd: checkout });
  if (!result.ok) {
    throw new SetupError(`esbuild ${result.ended}`, { output: result.output });
  }
}
