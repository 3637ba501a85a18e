import { BinaryError } from '../error.ts';
import { type ElfFile, SEGMENT_TYPE } from './elf.ts';
import type { Image } from './image.ts';
import type { Relocations } from './pages.ts';

const DYNAMIC_TAG = { null: 0, symbols: 6, rela: 7, relaSize: 8, relaEntry: 9 } as const;
const DYNAMIC_ENTRY_SIZE = 16;
const RELA_ENTRY_SIZE = 24;
const KIND = { word: 1, globalData: 6, relative: 8 } as const;
const MAX_DYNAMIC_ENTRIES = 4096;

const SYMBOL_SIZE = 24;
/** A symbol's value is then what a function returns. */
const CHOSEN_BY_FUNCTION = 10;
const LOCAL_BINDING = 0;
const DEFAULT_VISIBILITY = 0;

/**
 * Gives the image the values that relocations (DT_RELA) write with load bias 0. Go's own linker leaves the words of R_X86_64_RELATIVE
 * zero in a position-independent executable, so without this no table in its data can be followed. Packed relative
 * relocations (DT_RELR) keep the addend in the word itself, so with bias 0 there is nothing to do for them.
 *
 * A plugin names what its words point to (R_X86_64_64, R_X86_64_GLOB_DAT). They get the address of this file's own symbol. In the
 * process it may be that of another file's symbol of the same name: see `symbolWords`. Symbols that are not in this file
 * are left alone.
 *
 * Source: System V ABI AMD64 supplement, 4.4; generic ABI, "Dynamic Section" and "Relative Relocation Table".
 */
export function applyRelocations(image: Image, elf: ElfFile, path: string): void {
  const table = relocationTable(image, elf, path);
  if (table === undefined) {
    return;
  }
  const words = new WordList(table.count);
  for (let i = 0; i < table.count; i++) {
    const kind = table.kind(i);
    const place = table.place(i);
    if (!image.inFile(place, WORD_SIZE)) {
      continue;
    }
    if (kind === KIND.relative) {
      words.add(place, table.addendLow(i), table.addendHigh(i));
    } else if (kind === KIND.word || kind === KIND.globalData) {
      const symbol = table.symbol(i);
      const value =
        symbol === undefined ? undefined : symbol.address + (kind === KIND.word ? table.addend(i) : 0);
      if (value !== undefined && value >= 0) {
        words.add(place, value >>> 0, Math.floor(value / HALF));
      }
    }
  }
  image.relocate(words.sorted());
}

/**
 * Words that tell which file's symbol a process uses, where more than one may define it: address of each symbol of this file that
 * another file's may stand in for, to a place that the loader sets to the one it has chosen.
 */
export function symbolWords(image: Image, elf: ElfFile, path: string): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  const table = relocationTable(image, elf, path);
  for (let i = 0; table !== undefined && i < table.count; i++) {
    const kind = table.kind(i);
    if (kind !== KIND.globalData && !(kind === KIND.word && table.addend(i) === 0)) {
      continue;
    }
    const symbol = table.symbol(i);
    if (symbol?.mayBeAnothers && image.inFile(table.place(i), WORD_SIZE)) {
      found.set(symbol.address, table.place(i));
    }
  }
  return found;
}

/** The symbol that a relocation names. */
interface NamedSymbol {
  readonly address: number;
  /** The loader takes that of another file if it comes first in its search. */
  readonly mayBeAnothers: boolean;
}

/** The table of relocations; undefined when the file has none. */
function relocationTable(image: Image, elf: ElfFile, path: string): RelocationTable | undefined {
  const values = dynamicValues(image, elf);
  const address = values.get(DYNAMIC_TAG.rela) ?? 0;
  const size = values.get(DYNAMIC_TAG.relaSize) ?? 0;
  if (address === 0 || size === 0) {
    return undefined;
  }
  const entrySize = values.get(DYNAMIC_TAG.relaEntry) ?? RELA_ENTRY_SIZE;
  if (entrySize !== RELA_ENTRY_SIZE || !image.contains(address, size)) {
    throw new BinaryError('malformed', `${path} has a relocation table that is not in its memory.`);
  }
  return new RelocationTable(image, image.read(address, size), values.get(DYNAMIC_TAG.symbols));
}

function dynamicValues(image: Image, elf: ElfFile): Map<number, number> {
  const values = new Map<number, number>();
  const dynamic = elf.segments.find((segment) => segment.type === SEGMENT_TYPE.dynamic);
  if (dynamic === undefined) {
    return values;
  }
  const count = Math.min(Math.floor(dynamic.memorySize / DYNAMIC_ENTRY_SIZE), MAX_DYNAMIC_ENTRIES);
  for (let i = 0; i < count; i++) {
    const at = dynamic.address + i * DYNAMIC_ENTRY_SIZE;
    const tag = image.u64(at);
    if (tag === DYNAMIC_TAG.null) {
      break;
    }
    values.set(tag, image.u64(at + 8));
  }
  return values;
}

/** Entries of type Elf64_Rela. */
class RelocationTable {
  readonly count: number;
  readonly #image: Image;
  readonly #view: DataView;
  readonly #symbols: number | undefined;

  constructor(image: Image, table: Uint8Array, symbols: number | undefined) {
    this.#image = image;
    this.#view = new DataView(table.buffer, table.byteOffset, table.byteLength);
    this.count = Math.floor(table.byteLength / RELA_ENTRY_SIZE);
    this.#symbols = symbols;
  }

  place(i: number): number {
    const at = i * RELA_ENTRY_SIZE;
    return this.#view.getUint32(at + 4, true) * HALF + this.#view.getUint32(at, true);
  }

  kind(i: number): number {
    return this.#view.getUint32(i * RELA_ENTRY_SIZE + 8, true);
  }

  addendLow(i: number): number {
    return this.#view.getUint32(i * RELA_ENTRY_SIZE + 16, true);
  }

  addendHigh(i: number): number {
    return this.#view.getUint32(i * RELA_ENTRY_SIZE + 20, true);
  }

  addend(i: number): number {
    return (this.addendHigh(i) | 0) * HALF + this.addendLow(i);
  }

  /** The symbol, if this file defines it and its address is known before the process runs. */
  symbol(i: number): NamedSymbol | undefined {
    const index = this.#view.getUint32(i * RELA_ENTRY_SIZE + 12, true);
    const at = (this.#symbols ?? 0) + index * SYMBOL_SIZE;
    if (this.#symbols === undefined || !this.#image.inFile(at, SYMBOL_SIZE)) {
      return undefined;
    }
    // st_name, st_info, st_other, st_shndx
    const [info = 0, other = 0, low = 0, high = 0] = this.#image.read(at + 4, 4);
    if (low + high === 0 || (info & 15) === CHOSEN_BY_FUNCTION) {
      return undefined;
    }
    const mayBeAnothers = info >> 4 !== LOCAL_BINDING && (other & 3) === DEFAULT_VISIBILITY;
    return { address: this.#image.u64(at + 8), mayBeAnothers };
  }
}

const HALF = 0x1_0000_0000;
const WORD_SIZE = 8;

/** Words and their places. Kept in typed arrays: a large program has a million of them. */
class WordList {
  #places: Float64Array;
  #words: Uint32Array;
  #count = 0;
  #ascending = true;

  constructor(room: number) {
    this.#places = new Float64Array(room);
    this.#words = new Uint32Array(2 * room);
  }

  add(place: number, low: number, high: number): void {
    const i = this.#count++;
    this.#ascending &&= i === 0 || (this.#places[i - 1] ?? 0) <= place;
    this.#places[i] = place;
    this.#words[2 * i] = low;
    this.#words[2 * i + 1] = high;
  }

  /** Of words at the same place the last one comes last. */
  sorted(): Relocations {
    const count = this.#count;
    if (this.#ascending) {
      return { places: this.#places.subarray(0, count), words: this.#words };
    }
    const order = Uint32Array.from({ length: count }, (_, i) => i);
    order.sort((a, b) => (this.#places[a] ?? 0) - (this.#places[b] ?? 0) || a - b);
    const words = new Uint32Array(2 * count);
    order.forEach((from, to) => {
      words[2 * to] = this.#words[2 * from] ?? 0;
      words[2 * to + 1] = this.#words[2 * from + 1] ?? 0;
    });
    return { places: Float64Array.from(order, (from) => this.#places[from] ?? 0), words };
  }
}
