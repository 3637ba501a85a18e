import { run } from './run.ts';

/** The oldest GNU C library that what is packed runs with. */
export const GLIBC_FLOOR = '2.34';

/** What the addon may need: the C library, which glibc 2.34 and newer has in one, and what Node itself needs. */
const ADDON_LIBRARIES = ['libc.so.6', 'libm.so.6', 'ld-linux-x86-64.so.2', 'libgcc_s.so.1'];

/** What an ELF file asks of the system it is loaded on. */
export interface Needs {
  /** Shared libraries by their names, sorted. */
  readonly libraries: readonly string[];
  /** The newest version of glibc's symbols that it names: `2.34`. */
  readonly glibc: string;
}

/** Read from the file's dynamic section and its table of needed versions. */
export async function needsOf(file: string): Promise<Needs> {
  const text = await run('readelf', ['--wide', '--dynamic', '--version-info', file]);
  const libraries = [...text.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name = '']) => name).sort();
  const versions = [...text.matchAll(/Name: GLIBC_(\d+(?:\.\d+)+)/g)].map(([, version = '']) => version);
  const glibc = versions.sort(compareVersions).at(-1);
  if (glibc === undefined) {
    throw new Error(`${file} names no version of glibc`);
  }
  return { libraries, glibc };
}

/** @throws Error when the addon would not load where it is said to */
export async function checkAddon(file: string): Promise<void> {
  const { libraries, glibc } = await needsOf(file);
  const others = libraries.filter((name) => !ADDON_LIBRARIES.includes(name));
  if (others.length > 0) {
    throw new Error(`the addon needs ${others.join(' and ')}, which not every system has`);
  }
  if (compareVersions(glibc, GLIBC_FLOOR) > 0) {
    throw new Error(`the addon needs glibc ${glibc}; ${GLIBC_FLOOR} is promised`);
  }
}

/** Negative when the first version is the older one. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (let i = 0; i < Math.max(left?.length ?? 0, right?.length ?? 0); i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) {
      return difference;
    }
  }
  return 0;
}
