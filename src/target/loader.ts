import { exportedSymbol } from '../gobinary/index.ts';
import { Executable } from './executable.ts';
import { auxiliaryVector, isExecutableOf, mappings } from './process.ts';

/**
 * The function that a dynamic loader calls, for debuggers, when it begins to map files and when it has mapped them: in glibc and
 * musl, before anything in those files is executed.
 */
const NOTICE = '_dl_debug_state';

/** AT_BASE of the auxiliary vector: where the kernel has mapped the dynamic loader. */
const LOADER_BASE = 7;

/**
 * The address of an instruction that a process executes each time when its dynamic loader has mapped files, and before they are
 * used. To be asked for when it has executed a program, and has not run an instruction of it.
 *
 * @returns undefined when it has no dynamic loader, or one that does not say what it does
 */
export function loaderNotice(pid: number): number | undefined {
  try {
    const base = loaderBase(pid);
    const isExecutable = isExecutableOf(pid);
    // Without a base the program may be the loader itself: sites that start programs by it do.
    const mapping = mappings(pid).find((one) =>
      base === 0 ? isExecutable(one) && one.fileOffset === 0 : one.start === base,
    );
    const loader = mapping && Executable.mappedBy(pid, mapping);
    const address = loader && exportedSymbol(loader.path, NOTICE);
    loader?.close();
    return mapping === undefined || address === undefined ? undefined : mapping.start + address;
  } catch {
    // It has been killed meanwhile.
    return undefined;
  }
}

function loaderBase(pid: number): number {
  const vector = auxiliaryVector(pid);
  for (let at = 0; at + 16 <= vector.length; at += 16) {
    if (vector.readBigUInt64LE(at) === BigInt(LOADER_BASE)) {
      return Number(vector.readBigUInt64LE(at + 8));
    }
  }
  return 0;
}
