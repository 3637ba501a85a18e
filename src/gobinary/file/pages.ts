import type { FileBytes } from './file.ts';

/** Words that the loader writes into a program's memory: places ascending, two halves (low, high) of a word for each. */
export interface Relocations {
  readonly places: Float64Array;
  readonly words: Uint32Array;
}

interface Page {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

const PAGE_BITS = 14;
const PAGE_SIZE = 1 << PAGE_BITS;
/** What is kept once most of the work on a program is done. */
const FEW_PAGES = 128;

/**
 * The bytes of one segment. They are read from the file when they are asked for, and relocated then: of a large program only a
 * small part is needed, and for most of the time hardly any. The caller checks offsets against `size`.
 */
export class SegmentPages {
  readonly size: number;
  readonly #file: FileBytes;
  readonly #address: number;
  readonly #fileOffset: number;
  #pages: (Page | undefined)[] = [];
  #kept = 0;
  #most = Number.POSITIVE_INFINITY;
  #relocations: Relocations | undefined;

  constructor(file: FileBytes, address: number, fileOffset: number, size: number) {
    this.#file = file;
    this.#address = address;
    this.#fileOffset = fileOffset;
    this.size = size;
  }

  /** What has been read so far was not relocated: it is read again. */
  relocate(relocations: Relocations): void {
    this.#relocations = relocations;
    this.#drop();
  }

  /** Gives back all memory, and from now on keeps little. */
  forget(): void {
    this.#most = FEW_PAGES;
    this.#drop();
  }

  #drop(): void {
    this.#pages = [];
    this.#kept = 0;
  }

  u32(offset: number): number {
    const at = offset & (PAGE_SIZE - 1);
    if (at + 4 <= PAGE_SIZE) {
      return this.#page(offset >>> PAGE_BITS).view.getUint32(at, true);
    }
    const bytes = this.read(offset, 4);
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  }

  /** A view of a page where one holds all of it, else a copy. */
  read(offset: number, length: number): Uint8Array {
    const at = offset & (PAGE_SIZE - 1);
    if (length > PAGE_SIZE) {
      return this.#fresh(offset, length);
    }
    const page = this.#page(offset >>> PAGE_BITS).bytes;
    if (at + length <= PAGE_SIZE) {
      return page.subarray(at, at + length);
    }
    const copy = new Uint8Array(length);
    copy.set(page.subarray(at));
    copy.set(
      this.#page((offset >>> PAGE_BITS) + 1).bytes.subarray(0, length - (PAGE_SIZE - at)),
      PAGE_SIZE - at,
    );
    return copy;
  }

  #page(index: number): Page {
    return this.#pages[index] ?? this.#load(index);
  }

  #load(index: number): Page {
    const start = index * PAGE_SIZE;
    const bytes = this.#fresh(start, Math.max(0, Math.min(PAGE_SIZE, this.size - start)));
    const page = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
    if (this.#kept >= this.#most) {
      this.#drop();
    }
    this.#pages[index] = page;
    this.#kept++;
    return page;
  }

  #fresh(offset: number, length: number): Uint8Array {
    const bytes = this.#file.read(this.#fileOffset + offset, length);
    if (this.#relocations !== undefined) {
      write(this.#relocations, this.#address + offset, bytes);
    }
    return bytes;
  }
}

const WORD_SIZE = 8;

/** Writes what of the words falls into the bytes at an address. */
function write({ places, words }: Relocations, address: number, bytes: Uint8Array): void {
  const end = address + bytes.length;
  const word = new Uint8Array(WORD_SIZE);
  const halves = new DataView(word.buffer);
  for (let i = firstFrom(places, address - WORD_SIZE + 1); i < places.length; i++) {
    const place = places[i] ?? end;
    if (place >= end) {
      return;
    }
    halves.setUint32(0, words[2 * i] ?? 0, true);
    halves.setUint32(4, words[2 * i + 1] ?? 0, true);
    const skipped = Math.max(0, address - place);
    bytes.set(word.subarray(skipped, Math.min(WORD_SIZE, end - place)), place + skipped - address);
  }
}

/** Index of the first element that is not below `value`. */
function firstFrom(ascending: Float64Array, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? 0) < value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
