import { BinaryError, type GoBinary, type GoFunction } from '../../gobinary/index.ts';
import { UnprovenError } from './disassemble.ts';

/** More code than any function that is looked at has, in bytes. A function table that lies may give one all of the program's. */
const MOST_CODE = 0x4_0000;

/**
 * The machine code of a function.
 *
 * @throws UnprovenError when there is more of it than a function may have, or when it is not in the file
 */
export function codeOf(binary: GoBinary, fn: GoFunction): Uint8Array {
  if (fn.end - fn.entry > MOST_CODE) {
    throw new UnprovenError(`${fn.name} has more code than ${MOST_CODE / 1024} KiB`);
  }
  try {
    return binary.code(fn);
  } catch (error) {
    if (error instanceof BinaryError) {
      throw new UnprovenError(`the code of ${fn.name} cannot be read`, { cause: error });
    }
    throw error;
  }
}
