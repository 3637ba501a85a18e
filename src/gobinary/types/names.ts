import type { GoBinary } from '../binary.ts';
import { BinaryError } from '../error.ts';
import { TypeTable } from './type-table.ts';

/** The name of the type whose descriptor the linker put at this address; undefined when there is none. */
export function typeName(binary: GoBinary, address: number): string | undefined {
  const table = new TypeTable(binary);
  if (!table.isStatic(address)) {
    return undefined;
  }
  try {
    return table.name(table.header(address));
  } catch (error) {
    if (error instanceof BinaryError) {
      return undefined;
    }
    throw error;
  }
}
