/*
 * libbpf and libelf as archives of position-independent code, compiled from Debian's sources of the very versions that are installed.
 * Debian's own archives cannot become part of a shared object: their code is compiled for executables.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, homedir } from 'node:os';
import { basename, join } from 'node:path';
import { type DebianSource, sourceOf } from './debian.ts';
import { run } from './run.ts';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** What elfutils' configuration finds out, as far as libelf asks, for glibc and any gcc of today. */
const ELFUTILS_CONFIG = `${[
  'HAVE_DECL_MEMPCPY',
  'HAVE_DECL_MEMRCHR',
  'HAVE_DECL_POWEROF2',
  'HAVE_DECL_RAWMEMCHR',
  'HAVE_DECL_REALLOCARRAY',
  'HAVE_ERROR_H',
  'HAVE_ERR_H',
  'HAVE_FALLTHROUGH',
  'HAVE_GCC_STRUCT',
  'HAVE_MREMAP',
  'HAVE_VISIBILITY',
]
  .map((name) => `#define ${name} 1\n`)
  .join('')}#include <eu-config.h>
`;

const COMMON_FLAGS = ['-O2', '-fPIC', '-fvisibility=hidden', '-ffunction-sections', '-fdata-sections', '-w'];

/** A library to compile: the folder of its sources below that of its source package, and how. */
interface Library {
  readonly name: string;
  /** The installed package whose source it is made of. */
  readonly package: string;
  readonly folder: string;
  readonly flags: readonly string[];
  /** Where the names of its source files stand, in the folder. */
  readonly makefile: string;
  readonly sources: RegExp;
}

const LIBRARIES: readonly Library[] = [
  {
    name: 'libelf.a',
    package: 'libelf-dev',
    folder: 'libelf',
    flags: ['-std=gnu99', '-D_GNU_SOURCE', '-DHAVE_CONFIG_H', '-I..', '-I.', '-I../lib'],
    makefile: 'Makefile.am',
    sources: /^libelf_a_SOURCES = (.*?)\n\n/ms,
  },
  {
    name: 'libbpf.a',
    package: 'libbpf-dev',
    folder: 'src',
    flags: [
      ...['-std=gnu89', '-D_LARGEFILE64_SOURCE', '-D_FILE_OFFSET_BITS=64'],
      ...['-I.', '-I../include', '-I../include/uapi'],
    ],
    makefile: 'Makefile',
    sources: /^OBJS := (.*?)\n\n/ms,
  },
];

/** A folder with libbpf.a and libelf.a, made once per version of the two. */
export async function staticLibraries(): Promise<string> {
  const sources = await Promise.all(LIBRARIES.map((library) => sourceOf(library.package)));
  const own = await readFile(new URL(import.meta.url));
  const hash = createHash('sha256').update(own).update(JSON.stringify(sources)).digest('hex').slice(0, 16);
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mapscope');
  const folder = join(cache, `libraries-${hash}`);
  if (existsSync(folder)) {
    return folder;
  }
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'building-'));
  try {
    await mkdir(join(work, 'made'));
    await fetchSources(work, sources);
    for (const library of LIBRARIES) {
      await compile(library, work);
    }
    await rename(join(work, 'made'), folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return folder;
}

async function codeName(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8');
  const name = /^VERSION_CODENAME=(\w+)$/m.exec(text)?.[1];
  if (name === undefined) {
    throw new Error('packing takes a Debian, whose sources libbpf and libelf are compiled from');
  }
  return name;
}

/** Unpacks the sources below the folder, each under the name of its source package. apt's own configuration is left alone. */
async function fetchSources(work: string, sources: readonly DebianSource[]): Promise<void> {
  const suite = await codeName();
  const list = [
    `deb-src [signed-by=${KEYRING}] http://deb.debian.org/debian ${suite} main`,
    `deb-src [signed-by=${KEYRING}] http://deb.debian.org/debian ${suite}-updates main`,
    `deb-src [signed-by=${KEYRING}] http://deb.debian.org/debian-security ${suite}-security main`,
  ];
  await mkdir(join(work, 'lists/partial'), { recursive: true });
  await mkdir(join(work, 'archives/partial'), { recursive: true });
  await writeFile(join(work, 'sources.list'), `${list.join('\n')}\n`);
  const settings = {
    'Dir::Etc::sourcelist': join(work, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
    'Dir::State::lists': join(work, 'lists'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': work,
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3',
    // The folder need not be readable for apt's own user.
    'APT::Sandbox::User': 'root',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  await run('apt-get', [...options, 'update']);
  const wanted = sources.map(({ name, version }) => `${name}=${version}`);
  await run('apt-get', [...options, 'source', '--download-only', ...wanted], { cwd: work });
  for (const { name, version } of sources) {
    const description = `${name}_${version.replace(/^\d+:/, '')}.dsc`;
    await run('dpkg-source', ['--no-check', '-x', description, name], { cwd: work });
  }
}

async function compile(library: Library, work: string): Promise<void> {
  const { name } = await sourceOf(library.package);
  const folder = join(work, name, library.folder);
  if (library.name === 'libelf.a') {
    await writeFile(join(work, name, 'config.h'), ELFUTILS_CONFIG);
  }
  const headers = ['-isystem', join(work, 'elfutils', 'libelf')];
  const text = library.sources.exec(await readFile(join(folder, library.makefile), 'utf8'))?.[1] ?? '';
  const units = [...text.matchAll(/([\w-]+)\.[co]\b/g)].map(([, unit = '']) => unit);
  if (units.length === 0) {
    throw new Error(`${library.makefile} of ${name} does not say what ${library.name} is made of`);
  }
  const waiting = [...units];
  const worker = async (): Promise<void> => {
    for (let unit = waiting.pop(); unit !== undefined; unit = waiting.pop()) {
      // Relative names, so that the same code comes out wherever it is compiled.
      const flags = [...COMMON_FLAGS, ...library.flags, ...headers];
      await run('cc', [...flags, '-c', `${unit}.c`, '-o', `${unit}.o`], { cwd: folder });
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  const objects = units.map((unit) => `${basename(unit)}.o`);
  await run('ar', ['rcsD', join(work, 'made', library.name), ...objects], { cwd: folder });
}
