import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { ByteReader, ByteWriter } from '../format/bytes.ts';
import type { PackedIntervals } from '../format/document.ts';
import type { PackedInterval } from '../format/interval.ts';

export interface TierOptions {
  /** Intervals that are compressed together. */
  readonly chunk: number;
  /** Intervals kept at most; a whole chunk is forgotten at a time. */
  readonly most: number;
  /** Bytes kept at most, for now. */
  readonly bytes: () => number;
  /** What is forgotten first when there are too many bytes: whole chunks, or only what call sites did in them. */
  readonly forgets: 'chunks' | 'cells';
}

/** Intervals that were compressed. */
interface Chunk {
  readonly heads: Uint8Array;
  readonly cells: Uint8Array | undefined;
}

/** Intervals of one resolution, in bounded memory: the newest as they are, the others compressed. */
export class Tier {
  readonly #options: TierOptions;
  readonly #onFull: (intervals: readonly PackedInterval[]) => void;
  #chunks: Chunk[] = [];
  #open: PackedInterval[] = [];
  #bytes = 0;

  /** @param onFull gets the intervals of each chunk that is compressed */
  constructor(options: TierOptions, onFull: (intervals: readonly PackedInterval[]) => void = () => {}) {
    this.#options = options;
    this.#onFull = onFull;
  }

  /** The newest intervals, which are not compressed yet. */
  get open(): readonly PackedInterval[] {
    return this.#open;
  }

  /** Bytes taken. */
  get bytes(): number {
    return this.#bytes;
  }

  add(interval: PackedInterval): void {
    this.#open.push(interval);
    this.#bytes += sizeOf(interval.head, interval.cells);
    if (this.#open.length >= this.#options.chunk) {
      const intervals = this.#open;
      this.#open = [];
      this.#bytes -= intervals.reduce((sum, { head, cells }) => sum + sizeOf(head, cells), 0);
      const chunk = compress(intervals);
      this.#chunks.push(chunk);
      this.#bytes += sizeOf(chunk.heads, chunk.cells);
      this.#onFull(intervals);
    }
    this.#forget();
  }

  clear(): void {
    this.#chunks = [];
    this.#open = [];
    this.#bytes = 0;
  }

  #forget(): void {
    const { chunk, most, forgets } = this.#options;
    const bytes = this.#options.bytes();
    while (this.#chunks.length * chunk + this.#open.length > most || this.#isOver(bytes, forgets)) {
      const oldest = this.#chunks.shift();
      if (oldest === undefined) {
        break;
      }
      this.#bytes -= sizeOf(oldest.heads, oldest.cells);
    }
    for (let i = 0; this.#bytes > bytes && i < this.#chunks.length; i++) {
      const { heads, cells } = this.#chunks[i] as Chunk;
      this.#bytes -= cells?.length ?? 0;
      this.#chunks[i] = { heads, cells: undefined };
    }
    for (let i = 0; this.#bytes > bytes && i < this.#open.length; i++) {
      const { head, cells } = this.#open[i] as PackedInterval;
      this.#bytes -= cells?.length ?? 0;
      this.#open[i] = { head, cells: undefined };
    }
  }

  /** Whether a whole chunk has to go for the sake of bytes: heads alone may be too many, too. */
  #isOver(bytes: number, forgets: TierOptions['forgets']): boolean {
    return (
      this.#bytes > bytes && (forgets === 'chunks' || this.#chunks.every(({ cells }) => cells === undefined))
    );
  }

  /**
   * For the page: older ones first.
   *
   * @param bytes at most so many, where that is less: the oldest are left out
   */
  packed(bytes = Number.POSITIVE_INFINITY): PackedIntervals[] {
    const chunks: { packed: PackedIntervals; size: number }[] = [
      ...this.#chunks.map(({ heads, cells }) => part(true, heads, cells)),
      ...(this.#open.length === 0 ? [] : [part(false, ...blocksOf(this.#open))]),
    ];
    let left = bytes;
    const kept: PackedIntervals[] = [];
    for (const { packed, size } of chunks.toReversed()) {
      left -= size;
      if (left >= 0) {
        kept.push(packed);
      } else if (this.#options.forgets === 'cells') {
        kept.push({ ...packed, cells: null });
      } else {
        break;
      }
    }
    return kept.toReversed();
  }
}

function part(compressed: boolean, heads: Uint8Array, cells: Uint8Array | undefined) {
  const packed = { compressed, heads: base64(heads), cells: cells === undefined ? null : base64(cells) };
  return { packed, size: sizeOf(heads, cells) };
}

function sizeOf(head: Uint8Array, cells: Uint8Array | undefined): number {
  return head.length + (cells?.length ?? 0);
}

function blocksOf(intervals: readonly PackedInterval[]): [Uint8Array, Uint8Array | undefined] {
  const heads = new ByteWriter();
  const cells = new ByteWriter();
  const complete = intervals.every((interval) => interval.cells !== undefined);
  for (const interval of intervals) {
    heads.block(interval.head);
    if (complete && interval.cells !== undefined) {
      cells.block(interval.cells);
    }
  }
  return [heads.take(), complete ? cells.take() : undefined];
}

/** Fast rather than small: it is done while others wait, once a minute. */
const LEVEL = 3;

function compress(intervals: readonly PackedInterval[]): Chunk {
  const [heads, cells] = blocksOf(intervals);
  return {
    heads: deflateRawSync(heads, { level: LEVEL }),
    cells: cells && deflateRawSync(cells, { level: LEVEL }),
  };
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** The most that a chunk may become when it is read from a file that anybody may have written. */
const MOST_BYTES = 1 << 28;

/** Reads intervals back. @throws when the bytes are damaged */
export function unpackIntervals({ compressed, heads, cells }: PackedIntervals): PackedInterval[] {
  const blocks = (text: string) => {
    const bytes = Buffer.from(text, 'base64');
    const from = new ByteReader(compressed ? inflateRawSync(bytes, { maxOutputLength: MOST_BYTES }) : bytes);
    const found: Uint8Array[] = [];
    while (!from.isAtEnd) {
      found.push(from.block());
    }
    return found;
  };
  const bodies = cells === null ? [] : blocks(cells);
  return blocks(heads).map((head, i) => ({ head, cells: bodies[i] }));
}
