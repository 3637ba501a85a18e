import { type GoBinary, type OpenOptions, openGoBinary } from '../../src/gobinary/index.ts';
import { Executable } from '../../src/target/executable.ts';
import { MappedBinary } from '../../src/target/mapped.ts';

/** A running process with its executable, held open, and what is read of it. */
export function opened(
  pid: number,
  options?: OpenOptions,
): { readonly pid: number; readonly executable: Executable; readonly binary: GoBinary } {
  const executable = Executable.ofProcess(pid);
  return { pid, executable, binary: openGoBinary(executable.path, options) };
}

/** The executable of a running process, where it is mapped. */
export function mapped(pid: number): MappedBinary {
  const { executable, binary } = opened(pid);
  return MappedBinary.of(pid, executable, binary);
}
