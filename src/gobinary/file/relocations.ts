import { BinaryError } from '../error.ts';
import { type ElfFile, SEGMENT_TYPE } from './elf.ts';
import type { Image } from './image.ts';
import type { Relocations } from './pages.ts';

const DYNAMIC_TAG = { null: 0, rela: 7, relaSize: 8, relaEntry: 9 } as const;
const DYNAMIC_ENTRY_SIZE = 16;
const RELA_ENTRY_SIZE = 24;
const RELATIVE_X86_64 = 8;
const MAX_DYNAMIC_ENTRIES = 4096;

/**
 * Gives the image the R_X86_64_RELATIVE relocations (DT_RELA) with load bias 0: the word at the place becomes the addend.
 * Go's own linker leaves those words zero in a position-independent executable, so without this no table in its data
 * can be followed. Packed relative relocations (DT_RELR) keep the addend in the word itself, so with bias 0 there
 * is nothing to do for them. Symbolic relocations concern C libraries and are left alone.
 *
 * Source: System V ABI AMD64 supplement, 4.4; generic ABI, "Dynamic Section" and "Relative Relocation Table".
 */
export function applyRelocations(image: Image, elf: ElfFile, path: string): void {
  const dynamic = elf.segments.find((segment) => segment.type === SEGMENT_TYPE.dynamic);
  if (dynamic === undefined) {
    return;
  }
  const values = new Map<number, number>();
  const count = Math.min(Math.floor(dynamic.memorySize / DYNAMIC_ENTRY_SIZE), MAX_DYNAMIC_ENTRIES);
  for (let i = 0; i < count; i++) {
    const at = dynamic.address + i * DYNAMIC_ENTRY_SIZE;
    const tag = image.u64(at);
    if (tag === DYNAMIC_TAG.null) {
      break;
    }
    values.set(tag, image.u64(at + 8));
  }
  const address = values.get(DYNAMIC_TAG.rela) ?? 0;
  const size = values.get(DYNAMIC_TAG.relaSize) ?? 0;
  if (address === 0 || size === 0) {
    return;
  }
  const entrySize = values.get(DYNAMIC_TAG.relaEntry) ?? RELA_ENTRY_SIZE;
  if (entrySize !== RELA_ENTRY_SIZE || !image.contains(address, size)) {
    throw new BinaryError('malformed', `${path} has a relocation table that is not in its memory.`);
  }
  const table = image.read(address, size);
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  const words = new WordList(Math.floor(size / RELA_ENTRY_SIZE));
  for (let at = 0; at + RELA_ENTRY_SIZE <= size; at += RELA_ENTRY_SIZE) {
    if (view.getUint32(at + 8, true) !== RELATIVE_X86_64) {
      continue;
    }
    const place = view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
    if (image.inFile(place, WORD_SIZE)) {
      words.add(place, view.getUint32(at + 16, true), view.getUint32(at + 20, true));
    }
  }
  image.relocate(words.sorted());
}

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
