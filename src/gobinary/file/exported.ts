import { BinaryError } from '../error.ts';
import { readElf, SECTION_TYPE } from './elf.ts';
import { withFile } from './file.ts';
import { SymbolTable } from './symbols.ts';

/** Link-time address of a symbol that an ELF file has for others; undefined when it has none, or is no such file. */
export function exportedSymbol(path: string, name: string): number | undefined {
  try {
    return withFile(
      path,
      (file) => SymbolTable.of(file, readElf(file), SECTION_TYPE.dynsym)?.find(name)?.address,
    );
  } catch (error) {
    if (error instanceof BinaryError) {
      return undefined;
    }
    throw error;
  }
}
