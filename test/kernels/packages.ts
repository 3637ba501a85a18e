/* Debian's own kernel packages, fetched by apt into a folder of ours. Nothing of them is installed. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { run } from './command.ts';

/** Releases of Debian in which the kernels are. What is fetched runs in an emulator only, so the host's keys need not know them. */
const SOURCES = ['bullseye', 'bookworm', 'trixie', 'trixie-backports'].map(
  (suite) => `deb [trusted=yes] http://deb.debian.org/debian ${suite} main`,
);

const NEWEST = 'newest';

/** A kernel to boot: a series such as `6.1`, `newest`, or some series of which the last that there is counts. */
export type Wanted = string;

/** A kernel that is unpacked: its image, and its modules by their names. */
export interface Kernel {
  /** Debian's name of the release, without the flavor: `6.1.0-50`. */
  readonly version: string;
  readonly image: string;
  readonly modules: ReadonlyMap<string, string>;
}

/** What the kernels of the cloud flavor need to reach a file system on a virtual disk, in the order of their loading. */
const MODULES = [
  'virtio',
  'virtio_ring',
  'virtio_pci_legacy_dev',
  'virtio_pci_modern_dev',
  'virtio_pci',
  'virtio_blk',
  'crc16',
  'crc32c_generic',
  'mbcache',
  'jbd2',
  'ext4',
];

/** Where the tests keep what they have fetched. */
function kernelCache(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mapscope', 'kernels');
}

/** What apt uses instead of the host's own configuration and state. */
async function aptOptions(): Promise<string[]> {
  const folder = join(kernelCache(), 'apt');
  await mkdir(join(folder, 'lists', 'partial'), { recursive: true });
  await mkdir(join(folder, 'archives', 'partial'), { recursive: true });
  await writeFile(join(folder, 'sources.list'), `${SOURCES.join('\n')}\n`);
  const settings = {
    'Dir::Etc::sourcelist': join(folder, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
    'Dir::State::lists': join(folder, 'lists'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': folder,
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
    'APT::Architecture': 'amd64',
    // The folder need not be readable for apt's own user.
    'APT::Sandbox::User': 'root',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

/**
 * Chooses kernels among those that Debian has today: of a series the last one.
 *
 * @returns versions, in the order of what is wanted
 */
export async function chooseKernels(wanted: readonly Wanted[]): Promise<string[]> {
  const options = await aptOptions();
  await run('apt-get', [...options, 'update']);
  const found = await run('apt-cache', [
    ...options,
    'search',
    '--names-only',
    '^linux-image-[0-9.]+.*-cloud-amd64$',
  ]);
  const names = [...found.matchAll(/^linux-image-(\d+\.\d+\.\d+(?:[-+][\w.]+)?)-cloud-amd64 /gm)];
  const versions = names.map(([, version = '']) => version).sort(byVersion);
  return wanted.map((series) => {
    const last = versions.findLast((version) => series === NEWEST || version.startsWith(`${series}.`));
    if (last === undefined) {
      throw new Error(`Debian has no kernel ${series}`);
    }
    return last;
  });
}

function byVersion(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => (version.match(/\d+/g) ?? []).map(Number));
  for (let i = 0; i < Math.max(left?.length ?? 0, right?.length ?? 0); i++) {
    const difference = (left?.[i] ?? -1) - (right?.[i] ?? -1);
    if (difference !== 0) {
      return difference;
    }
  }
  return 0;
}

/** What was chosen last, so that tests need not ask Debian again; whatever is not known yet is chosen now. */
export async function chosenBefore(wanted: readonly Wanted[]): Promise<string[]> {
  const file = join(kernelCache(), 'chosen.json');
  const known: Record<string, string> = existsSync(file) ? JSON.parse(await readFile(file, 'utf8')) : {};
  const missing = wanted.filter((series) => known[series] === undefined);
  if (missing.length > 0) {
    const chosen = await chooseKernels(missing);
    missing.forEach((series, i) => {
      known[series] = chosen[i] ?? series;
    });
    await writeFile(file, JSON.stringify(known));
  }
  return wanted.map((series) => known[series] ?? series);
}

/** Fetches and unpacks a kernel, unless it is there. */
export async function fetchKernel(version: string): Promise<Kernel> {
  const folder = join(kernelCache(), version);
  if (!existsSync(folder)) {
    const work = `${folder}.${process.pid}`;
    await mkdir(work, { recursive: true });
    try {
      await unpackKernel(version, work);
      await rename(work, folder);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  const files = await readdir(folder);
  const modules = MODULES.flatMap((name): [string, string][] =>
    files.includes(`${name}.ko`) ? [[name, join(folder, `${name}.ko`)]] : [],
  );
  return { version, image: join(folder, 'vmlinuz'), modules: new Map(modules) };
}

/** Leaves the image and the modules, uncompressed, in a folder. */
async function unpackKernel(version: string, folder: string): Promise<void> {
  const options = await aptOptions();
  const all = (await run('apt-cache', [...options, 'pkgnames', 'linux-'])).split('\n');
  // Debian has moved the image into a package of its own (6.19), and later the modules into another.
  const packages = ['image', 'binary', 'modules']
    .map((part) => `linux-${part}-${version}-cloud-amd64`)
    .filter((name) => all.includes(name));
  await run('apt-get', [...options, 'download', ...packages], folder);
  const tree = join(folder, 'tree');
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.deb'))) {
    await run('dpkg', ['-x', join(folder, file), tree]);
    await rm(join(folder, file));
  }
  const files = (await readdir(tree, { recursive: true })).map((name) => join(tree, name));
  const image = files.find((file) => basename(file).startsWith('vmlinuz'));
  if (image === undefined) {
    throw new Error(`there is no kernel image in ${packages.join(', ')}`);
  }
  await rename(image, join(folder, 'vmlinuz'));
  for (const name of MODULES) {
    const file = files.find((path) => [`${name}.ko`, `${name}.ko.xz`].includes(basename(path)));
    if (file?.endsWith('.xz')) {
      await run('xz', ['--decompress', file]);
    }
    if (file !== undefined) {
      await rename(file.replace(/\.xz$/, ''), join(folder, `${name}.ko`));
    }
  }
  await rm(tree, { recursive: true });
}
