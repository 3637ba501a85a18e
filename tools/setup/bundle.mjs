// The command as few files of plain JavaScript: src/cli/main.ts and what it needs -> build/cli.
//
// Node runs the sources as they are, but pays for it: the compiler that takes the types out stays in memory (40 MB), and so does
// all of the packages of which little is used (another 20 MB). A sidecar has 100 MB.

import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run, SetupError } from './commands.mjs';
import { filesBelow, fingerprint, stampIs, writeStamp } from './fingerprint.mjs';

/** Each becomes a file of its own name; what they share is in others beside them. */
const ENTRIES = [join('src', 'cli', 'main.ts'), join('src', 'programs', 'preparation', 'prepare-child.ts')];

const FLAGS = [
  '--bundle',
  '--splitting',
  '--platform=node',
  '--format=esm',
  '--target=node24',
  '--minify-whitespace',
  '--minify-syntax',
  '--entry-names=[name]',
  '--out-extension:.js=.mjs',
  '--log-level=error',
  // They look for files beside their own.
  '--external:bindings',
  '--external:@grpc/grpc-js',
  '--external:iced-x86',
  // Some packages ask for Node's modules with `require`, which modules of JavaScript do not have.
  "--banner:js=import{createRequire as requireFrom}from'node:module';const require=requireFrom(import.meta.url);",
];

const folder = (checkout) => join(checkout, 'build', 'cli');
const stampFile = (checkout) => join(folder(checkout), '.mapscope-stamp');

/** The packages are known by the lock file. */
function sourcesHash(checkout) {
  const sources = filesBelow(join(checkout, 'src')).filter((file) => file.endsWith('.ts'));
  return fingerprint(checkout, [join(checkout, 'package-lock.json'), ...sources], [...ENTRIES, ...FLAGS]);
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
  await esbuild(checkout, [...entries, ...FLAGS, `--outdir=${into}`]);
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
