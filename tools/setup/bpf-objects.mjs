// The BPF objects: bpf/NAME.bpf.c -> build/bpf/NAME.bpf.o, or two of them (BUILT_TWICE).

import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { capture, findClang, run, SetupError } from './commands.mjs';
import { filesBelow, fingerprint, stampIs, writeStamp } from './fingerprint.mjs';

const FLAGS = [
  '-target',
  'bpf',
  '-mcpu=v3',
  '-O2',
  '-g',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Wundef',
  '-D__TARGET_ARCH_x86',
];

/** These programs may sleep where the kernel lets them (bpf/lib/memory.bpf.h): an object for such kernels, one for others. */
const BUILT_TWICE = ['lookup', 'verify'];

/** The objects made of a source: names, and flags of their own. */
function variants(name) {
  if (!BUILT_TWICE.includes(name)) {
    return [{ name, flags: [] }];
  }
  return [
    { name: `${name}_atomic`, flags: ['-DSLEEPABLE=0'] },
    { name: `${name}_sleepable`, flags: ['-DSLEEPABLE=1'] },
  ];
}

/** Every object with its source, and the hash of all that decides its content. */
function objects(checkout) {
  const files = filesBelow(join(checkout, 'bpf'));
  const headers = files.filter((file) => file.endsWith('.h'));
  return files
    .filter((file) => file.endsWith('.bpf.c'))
    .flatMap((source) => variants(basename(source, '.bpf.c')).map((variant) => ({ source, ...variant })))
    .map(({ source, name, flags }) => {
      const object = join(checkout, 'build', 'bpf', `${name}.bpf.o`);
      const hash = fingerprint(checkout, [source, ...headers], [...FLAGS, ...flags]);
      const current = existsSync(object) && stampIs(`${object}.stamp`, hash);
      return { source, flags, object, hash, current };
    });
}

/** Where this distribution keeps the kernel headers that depend on the architecture. */
function multiarchIncludes() {
  const triplet =
    capture('gcc', ['-print-multiarch']) || capture('dpkg-architecture', ['-qDEB_HOST_MULTIARCH']) || '';
  return triplet === '' ? [] : ['-I', `/usr/include/${triplet}`];
}

export const bpfObjects = {
  title: 'compiling the BPF programs',
  needsSystemPackages: true,

  isCurrent: (checkout) => objects(checkout).every(({ current }) => current),

  async make(checkout) {
    const clang = findClang();
    const includes = ['-I', join(checkout, 'bpf'), ...multiarchIncludes()];
    mkdirSync(join(checkout, 'build', 'bpf'), { recursive: true });
    const compile = async ({ source, flags, object, hash }) => {
      const temporary = `${object}.${process.pid}`;
      const result = await run(clang, [...FLAGS, ...flags, ...includes, '-c', source, '-o', temporary], {
        cwd: checkout,
      });
      if (!result.ok) {
        throw new SetupError(`clang ${result.ended} on ${basename(source)}`, { output: result.output });
      }
      renameSync(temporary, object);
      writeStamp(`${object}.stamp`, hash);
    };
    await Promise.all(
      objects(checkout)
        .filter(({ current }) => !current)
        .map(compile),
    );
  },
};
