import { type ElfFile, SECTION_TYPE, type Section } from './elf.ts';
import type { FileBytes } from './file.ts';
import { occurrences } from './reader.ts';

export interface ElfSymbol {
  readonly address: number;
  readonly size: number;
}

const SYMBOL_SIZE = 24;
/** A larger table is taken for none. */
const MAX_TABLE_SIZE = 0x1000_0000;
/** Places in the string table where a name is tried; the names that end like it are among them. */
const MAX_NAMES = 0x1_0000;

/**
 * A symbol table of the file, read and searched on request: the string table for the name, then the entries for its offset.
 * Layout: ELF-64 Object File Format, "Symbol Table" (Elf64_Sym).
 */
export class SymbolTable {
  readonly #symbols: () => Uint8Array;
  readonly #strings: () => Uint8Array;

  constructor(symbols: () => Uint8Array, strings: () => Uint8Array) {
    this.#symbols = symbols;
    this.#strings = strings;
  }

  /**
   * Finds a symbol table and its strings; undefined when the file has none or they do not fit in it.
   *
   * @param type of section: .symtab, which stripping removes, or .dynsym, which the dynamic loader needs
   */
  static of(file: FileBytes, elf: ElfFile, type: number): SymbolTable | undefined {
    const symbols = elf.sections.find((section) => section.type === type);
    const strings = symbols === undefined ? undefined : elf.sections[symbols.link];
    if (symbols === undefined || strings?.type !== SECTION_TYPE.strtab) {
      return undefined;
    }
    const fits = ({ fileOffset, size }: Section): boolean =>
      size <= MAX_TABLE_SIZE && fileOffset + size <= file.size;
    if (!fits(symbols) || !fits(strings)) {
      return undefined;
    }
    return new SymbolTable(
      () => file.read(symbols.fileOffset, symbols.size),
      () => file.read(strings.fileOffset, strings.size),
    );
  }

  /** The first defined symbol of exactly this name. */
  find(name: string): ElfSymbol | undefined {
    const offsets = new Set(occurrences(this.#strings(), Buffer.from(`${name}\0`), MAX_NAMES));
    if (offsets.size === 0) {
      return undefined;
    }
    const symbols = this.#symbols();
    const view = new DataView(symbols.buffer, symbols.byteOffset, symbols.byteLength);
    for (let at = 0; at + SYMBOL_SIZE <= view.byteLength; at += SYMBOL_SIZE) {
      if (!offsets.has(view.getUint32(at, true)) || view.getUint16(at + 6, true) === 0) {
        continue;
      }
      return { address: u64(view, at + 8), size: u64(view, at + 16) };
    }
    return undefined;
  }
}

function u64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
}
