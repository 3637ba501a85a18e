/*
 * Writes protocol buffers back to front. A message's length stands before its content, but is known only after the content is
 * written. Back to front, the writer neither measures beforehand nor moves bytes afterwards. The price: callers write fields,
 * and elements of repeated fields, in reverse order.
 */

/** Wire types: how to read the bytes after a tag. */
const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;

const TWO_32 = 2 ** 32;
const ENCODER = new TextEncoder();

/** Writes one message, last field first. Integers are JavaScript numbers. It truncates fractions, as the SDK does. */
export class BackwardWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView<ArrayBuffer>;
  /** The written bytes are those from here to the end. */
  #at: number;

  /** @param capacity a first guess of the bytes needed */
  constructor(capacity = 4096) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
    this.#at = capacity;
  }

  /** Bytes written so far. Callers remember it as the mark for `close`. */
  get length(): number {
    return this.#bytes.length - this.#at;
  }

  /** Begins another message in the same memory. */
  restart(): void {
    this.#at = this.#bytes.length;
  }

  /** The message, not copied: it lasts until the next one. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(this.#at);
  }

  /** Puts length and tag before everything written since `length` was `mark`: a message, a string, a packed array. */
  close(field: number, mark: number): void {
    this.#varint(this.length - mark);
    this.#tag(field, LENGTH_DELIMITED);
  }

  /** int32, int64, uint32, uint64, bool, enum. */
  varint(field: number, value: number): void {
    this.#varint(value);
    this.#tag(field, VARINT);
  }

  /** sint32. */
  zigzag(field: number, value: number): void {
    this.varint(field, ((value << 1) ^ (value >> 31)) >>> 0);
  }

  double(field: number, value: number): void {
    this.putDouble(value);
    this.#tag(field, FIXED64);
  }

  /** fixed64 of a number that is not negative. */
  fixed64(field: number, value: number): void {
    this.putFixed64(value);
    this.#tag(field, FIXED64);
  }

  /** sfixed64. */
  sfixed64(field: number, value: number): void {
    this.fixed64Halves(field, lowHalf(value), highHalf(value));
  }

  /** fixed64 or sfixed64 of two unsigned halves of 32 bits. */
  fixed64Halves(field: number, low: number, high: number): void {
    this.#halves(low, high);
    this.#tag(field, FIXED64);
  }

  string(field: number, text: string): void {
    const mark = this.length;
    this.#text(text);
    this.close(field, mark);
  }

  bytes(field: number, bytes: Uint8Array): void {
    const mark = this.length;
    this.#copy(bytes);
    this.close(field, mark);
  }

  /** Bytes from an even number of hexadecimal digits. */
  hex(field: number, digits: string): void {
    const mark = this.length;
    let at = this.#reserve(digits.length / 2);
    const bytes = this.#bytes;
    for (let i = 0; i < digits.length; i += 2) {
      bytes[at++] = (nibble(digits.charCodeAt(i)) << 4) | nibble(digits.charCodeAt(i + 1));
    }
    this.close(field, mark);
  }

  /** Element of a packed array of uint64. */
  putVarint(value: number): void {
    this.#varint(value);
  }

  /** Element of a packed array of fixed64. */
  putFixed64(value: number): void {
    this.#halves(value >>> 0, (value / TWO_32) >>> 0);
  }

  /** Element of a packed array of double. */
  putDouble(value: number): void {
    const at = this.#reserve(8);
    this.#view.setFloat64(at, value, true);
  }

  #tag(field: number, wireType: number): void {
    this.#varint((field << 3) | wireType);
  }

  #halves(low: number, high: number): void {
    const at = this.#reserve(8);
    this.#view.setUint32(at, low, true);
    this.#view.setUint32(at + 4, high, true);
  }

  #varint(value: number): void {
    let low = lowHalf(value);
    let high = highHalf(value);
    const bits = high === 0 ? 32 - Math.clz32(low | 1) : 64 - Math.clz32(high);
    let at = this.#reserve(Math.ceil(bits / 7));
    const bytes = this.#bytes;
    while (high > 0 || low > 0x7f) {
      bytes[at++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    bytes[at] = low;
  }

  #text(text: string): void {
    const { length } = text;
    let at = this.#reserve(length);
    const bytes = this.#bytes;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) {
        // Not ASCII, which is rare here: start again.
        this.#at += length;
        this.#copy(ENCODER.encode(text));
        return;
      }
      bytes[at++] = code;
    }
  }

  #copy(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Makes room before the written bytes. @returns where that room starts */
  #reserve(size: number): number {
    if (this.#at < size) {
      this.#grow(size);
    }
    this.#at -= size;
    return this.#at;
  }

  #grow(size: number): void {
    const written = this.finish();
    const bytes = new Uint8Array(Math.max(2 * this.#bytes.length, written.length + size));
    this.#at = bytes.length - written.length;
    bytes.set(written, this.#at);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

/** Value of a hexadecimal digit: the lower four bits of 0 to 9, and nine more for A to F and a to f. */
function nibble(code: number): number {
  return (code & 0xf) + (code >> 6) * 9;
}

/** The lower 32 bits of an integer in two's complement. */
function lowHalf(value: number): number {
  return value >>> 0;
}

/** The upper 32 bits of an integer in two's complement of 64 bits. */
function highHalf(value: number): number {
  return value >= 0 ? (value / TWO_32) >>> 0 : Math.floor(Math.trunc(value) / TWO_32) >>> 0;
}
