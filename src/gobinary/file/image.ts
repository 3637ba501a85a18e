import { BinaryError, hex } from '../error.ts';
import { type ElfFile, type ProgramHeader, SEGMENT_FLAG, SEGMENT_TYPE } from './elf.ts';
import type { FileBytes } from './file.ts';
import { type Relocations, SegmentPages } from './pages.ts';
import { occurrences } from './reader.ts';

/** One loadable segment, at its link-time address. Sizes in bytes; `memorySize` beyond `fileSize` is zero-filled. */
export interface Segment {
  readonly address: number;
  readonly fileOffset: number;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly executable: boolean;
  readonly writable: boolean;
}

interface LoadedSegment extends Segment {
  readonly pages: SegmentPages;
}

/** Zero-filled memory is made up on request, at most this much at a time. */
const MAX_ZERO_FILL = 0x100_0000;
/** All segments together; the largest Go programs have a few hundred MiB. */
const MAX_TOTAL = 0x4000_0000;
/** User addresses of x86-64 with 4-level paging are below 2^47. */
const MAX_ADDRESS = 2 ** 47;
/** A segment is searched in pieces of this size. */
const SEARCH_PIECE = 0x10_0000;

/**
 * The program's memory as the loader would lay it out at load bias 0: PT_LOAD segments from the file, zero-filled
 * tails, and (see relocations.ts) relative relocations applied, so pointers in the data of a position-independent
 * executable read as link-time addresses. The file is read as it is needed, and has to stay open.
 */
export class Image {
  readonly segments: readonly Segment[];
  readonly #loaded: readonly LoadedSegment[];
  /** What messages call the file. */
  readonly name: string;
  #last: LoadedSegment | undefined;

  private constructor(name: string, loaded: readonly LoadedSegment[]) {
    this.name = name;
    this.#loaded = loaded;
    this.segments = loaded.map(({ pages: _pages, ...segment }) => Object.freeze(segment));
  }

  /** Finds every PT_LOAD segment of the file; throws BinaryError when they overlap or leave the file. */
  static load(file: FileBytes, elf: ElfFile): Image {
    const headers = elf.segments.filter(
      (header) => header.type === SEGMENT_TYPE.load && header.memorySize > 0,
    );
    checkSegments(file, headers);
    return new Image(
      file.name,
      headers.map(({ address, fileOffset, fileSize, memorySize, flags }) => ({
        address,
        fileOffset,
        fileSize,
        memorySize,
        executable: (flags & SEGMENT_FLAG.execute) !== 0,
        writable: (flags & SEGMENT_FLAG.write) !== 0,
        pages: new SegmentPages(file, address, fileOffset, fileSize),
      })),
    );
  }

  #find(address: number): LoadedSegment | undefined {
    const last = this.#last;
    if (last !== undefined && address >= last.address && address < last.address + last.memorySize) {
      return last;
    }
    for (const segment of this.#loaded) {
      if (address >= segment.address && address < segment.address + segment.memorySize) {
        this.#last = segment;
        return segment;
      }
    }
    return undefined;
  }

  /** Whether `length` bytes at `address` lie in one segment. */
  contains(address: number, length = 1): boolean {
    const segment = this.#find(address);
    return segment !== undefined && address + length <= segment.address + segment.memorySize;
  }

  /** Whether the file holds `length` bytes at `address` in one segment: none of them is zero-filled memory. */
  inFile(address: number, length: number): boolean {
    const segment = this.#find(address);
    return segment !== undefined && address + length <= segment.address + segment.fileSize;
  }

  /** Whether `address` lies in a segment that may be executed. */
  isExecutable(address: number): boolean {
    return this.#find(address)?.executable === true;
  }

  #outside(address: number, length: number): BinaryError {
    return new BinaryError(
      'malformed',
      `${this.name} has no memory for ${length} bytes at address ${hex(address)}, to which one of its tables points.`,
    );
  }

  /**
   * `length` bytes at a link-time address: a view (do not write to it) or a copy, with the zero-filled part. Throws BinaryError
   * when any of them is outside a segment.
   */
  read(address: number, length: number): Uint8Array {
    const segment = this.#find(address);
    if (segment === undefined || !Number.isInteger(address) || !Number.isInteger(length) || length < 0) {
      throw this.#outside(address, length);
    }
    const offset = address - segment.address;
    if (offset + length <= segment.fileSize) {
      return segment.pages.read(offset, length);
    }
    if (offset + length > segment.memorySize || length > MAX_ZERO_FILL) {
      throw this.#outside(address, length);
    }
    const copy = new Uint8Array(length);
    if (offset < segment.fileSize) {
      copy.set(segment.pages.read(offset, segment.fileSize - offset));
    }
    return copy;
  }

  u8(address: number): number {
    return this.read(address, 1)[0] ?? 0;
  }

  u32(address: number): number {
    const segment = this.#find(address);
    const offset = segment === undefined ? 0 : address - segment.address;
    if (segment !== undefined && offset + 4 <= segment.fileSize) {
      return segment.pages.u32(offset);
    }
    const copy = this.read(address, 4);
    return new DataView(copy.buffer, copy.byteOffset).getUint32(0, true);
  }

  i32(address: number): number {
    return this.u32(address) | 0;
  }

  /** A 64-bit word as a number (exact below 2^53): pointers and sizes. */
  u64(address: number): number {
    const segment = this.#find(address);
    const offset = segment === undefined ? 0 : address - segment.address;
    if (segment !== undefined && offset + 8 <= segment.fileSize) {
      return segment.pages.u32(offset + 4) * 0x1_0000_0000 + segment.pages.u32(offset);
    }
    return this.u32(address + 4) * 0x1_0000_0000 + this.u32(address);
  }

  /** Addresses in the file's part of a segment at which the byte string starts, ascending, at most `limit` of them. */
  *occurrences(segment: Segment, needle: Uint8Array, limit = Number.POSITIVE_INFINITY): Generator<number> {
    let left = limit;
    for (let start = 0; start < segment.fileSize && left > 0; start += SEARCH_PIECE) {
      const length = Math.min(SEARCH_PIECE + needle.length - 1, segment.fileSize - start);
      for (const offset of occurrences(this.read(segment.address + start, length), needle, left)) {
        left--;
        yield segment.address + start + offset;
      }
    }
  }

  /** From now on the image is as the loader changes it: these words are in it. All places lie in the file. */
  relocate(relocations: Relocations): void {
    for (const { pages } of this.#loaded) {
      pages.relocate(relocations);
    }
  }

  /** Gives back the memory that what was read of the file takes, and from now on keeps little of it. */
  forget(): void {
    for (const { pages } of this.#loaded) {
      pages.forget();
    }
  }

  /** Where the byte at an address in an executable segment is in the file: what a probe is attached to. */
  fileOffset(address: number): number | undefined {
    const segment = this.#find(address);
    if (segment === undefined || !segment.executable) {
      return undefined;
    }
    const offset = address - segment.address;
    return offset < segment.fileSize ? segment.fileOffset + offset : undefined;
  }
}

/** Segments must ascend without overlap, and together hold no more than the file does (a few shared pages aside). */
function checkSegments(file: FileBytes, headers: readonly ProgramHeader[]): void {
  if (headers.length === 0) {
    throw new BinaryError('not-go', `${file.name} has no loadable segments, so it is not a program.`);
  }
  let end = 0;
  let total = 0;
  for (const { address, memorySize, fileOffset, fileSize } of headers) {
    if (address < end || fileSize > memorySize || address + memorySize > MAX_ADDRESS) {
      throw new BinaryError(
        'malformed',
        `${file.name} has an impossible loadable segment at ${hex(address)}.`,
      );
    }
    if (fileOffset + fileSize > file.size) {
      throw new BinaryError(
        'truncated',
        `${file.name} is truncated: it has ${file.size} bytes, but a segment ends at byte ${fileOffset + fileSize}.`,
      );
    }
    end = address + memorySize;
    total += fileSize;
  }
  if (total > MAX_TOTAL) {
    throw new BinaryError(
      'malformed',
      `${file.name} has ${total} bytes of segments, more than are supported.`,
    );
  }
  if (total > file.size + headers.length * 0x10000) {
    throw new BinaryError('malformed', `${file.name} has loadable segments that share the same bytes.`);
  }
}
