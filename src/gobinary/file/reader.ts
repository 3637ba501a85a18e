import { BinaryError, type BinaryErrorReason, hex } from '../error.ts';

const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });

/** Bytes as text; invalid UTF-8 becomes U+FFFD. */
export function decodeText(bytes: Uint8Array): string {
  return DECODER.decode(bytes);
}

/** A position in a Uint8Array after a variable-length number. */
export interface Uvarint {
  value: number;
  /** Offset of the first byte after the number. */
  next: number;
}

/** The longest uvarint accepted: 5 bytes hold 32 bits, and no length or delta in a Go binary is wider. */
const MAX_UVARINT_BYTES = 5;

/** Bytes that need not be in memory, read a part at a time. A read outside throws a BinaryError. */
export interface Table {
  readonly length: number;
  u8(offset: number): number;
  u32(offset: number): number;
  u64(offset: number): number;
  /** Do not write to it. */
  slice(offset: number, length: number): Uint8Array;
  cstring(offset: number, max: number): string;
}

/**
 * Little-endian reads from a byte array, each checked against its end.
 * Offsets are in bytes from the start of the array. A read outside throws a BinaryError that names `what` was read.
 */
export class Reader implements Table {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #what: string;
  readonly #reason: BinaryErrorReason;

  /** `what` names the table in messages, for example "the program headers". */
  constructor(bytes: Uint8Array, what: string, reason: BinaryErrorReason = 'malformed') {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
    this.#reason = reason;
  }

  get length(): number {
    return this.bytes.length;
  }

  /** Throws unless `length` bytes at `offset` are inside. NaN, negative and fractional offsets are outside. */
  #check(offset: number, length: number): void {
    if (!(Number.isInteger(offset) && offset >= 0 && length >= 0 && offset + length <= this.bytes.length)) {
      throw new BinaryError(
        this.#reason,
        `${this.#what} has ${this.bytes.length} bytes, but ${length} bytes at offset ${hex(offset)} are needed.`,
      );
    }
  }

  u8(offset: number): number {
    this.#check(offset, 1);
    return this.#view.getUint8(offset);
  }

  u16(offset: number): number {
    this.#check(offset, 2);
    return this.#view.getUint16(offset, true);
  }

  u32(offset: number): number {
    this.#check(offset, 4);
    return this.#view.getUint32(offset, true);
  }

  i32(offset: number): number {
    this.#check(offset, 4);
    return this.#view.getInt32(offset, true);
  }

  /** A 64-bit word as a number: exact below 2^53, rounded above (such a value is no address or size here). */
  u64(offset: number): number {
    this.#check(offset, 8);
    return this.#view.getUint32(offset + 4, true) * 0x1_0000_0000 + this.#view.getUint32(offset, true);
  }

  /** A view, not a copy, of `length` bytes. */
  slice(offset: number, length: number): Uint8Array {
    this.#check(offset, length);
    return this.bytes.subarray(offset, offset + length);
  }

  /** An unsigned base-128 number, low group first (Go's encoding/binary.Uvarint), of at most 32 bits. */
  uvarint(offset: number): Uvarint {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < MAX_UVARINT_BYTES; i++) {
      const byte = this.u8(offset + i);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        return { value, next: offset + i + 1 };
      }
      scale *= 128;
    }
    throw new BinaryError(this.#reason, `${this.#what} has an overlong number at offset ${hex(offset)}.`);
  }

  /** A NUL-terminated string of at most `max` bytes. Not terminated in that range is an error. */
  cstring(offset: number, max: number): string {
    return decodeText(this.bytes.subarray(offset, this.cstringEnd(offset, max)));
  }

  /** The offset of the NUL that ends the string at `offset`. */
  cstringEnd(offset: number, max: number): number {
    this.#check(offset, 1);
    const length = this.bytes.subarray(offset, offset + max + 1).indexOf(0);
    if (length < 0) {
      throw new BinaryError(
        this.#reason,
        `${this.#what} has a string at offset ${hex(offset)} that does not end within ${max} bytes.`,
      );
    }
    return offset + length;
  }
}

/**
 * Offsets in `haystack` at which the byte string `needle` starts, ascending, at most `limit` of them.
 * Uses the native search of Buffer, so it is fast enough to run over a whole segment.
 */
export function* occurrences(
  haystack: Uint8Array,
  needle: Uint8Array,
  limit = Number.POSITIVE_INFINITY,
): Generator<number> {
  const buffer = Buffer.from(haystack.buffer, haystack.byteOffset, haystack.byteLength);
  let at = buffer.indexOf(needle);
  for (let found = 0; at >= 0 && found < limit; found++) {
    yield at;
    at = buffer.indexOf(needle, at + 1);
  }
}
