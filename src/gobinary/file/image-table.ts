import { BinaryError, hex } from '../error.ts';
import type { Image } from './image.ts';
import { decodeText, type Table } from './reader.ts';

/** Most strings are shorter; longer ones are read again, whole. */
const USUAL_STRING = 256;

/** A table in a program's memory, read from there a part at a time. It lies in the file, in one segment. */
export class ImageTable implements Table {
  readonly length: number;
  readonly #image: Image;
  readonly #address: number;
  readonly #what: string;

  /** `what` names the table in messages. */
  constructor(image: Image, address: number, length: number, what: string) {
    this.#image = image;
    this.#address = address;
    this.length = length;
    this.#what = what;
  }

  /** Throws unless `length` bytes at `offset` are inside. NaN, negative and fractional offsets are outside. */
  #check(offset: number, length: number): void {
    if (Number.isInteger(offset) && offset >= 0 && length >= 0 && offset + length <= this.length) {
      return;
    }
    throw new BinaryError(
      'malformed',
      `${this.#what} of ${this.#image.name} has ${this.length} bytes, but ${length} bytes at offset ${hex(offset)} are needed.`,
    );
  }

  u8(offset: number): number {
    this.#check(offset, 1);
    return this.#image.u8(this.#address + offset);
  }

  u32(offset: number): number {
    this.#check(offset, 4);
    return this.#image.u32(this.#address + offset);
  }

  u64(offset: number): number {
    this.#check(offset, 8);
    return this.#image.u64(this.#address + offset);
  }

  slice(offset: number, length: number): Uint8Array {
    this.#check(offset, length);
    return this.#image.read(this.#address + offset, length);
  }

  cstring(offset: number, max: number): string {
    this.#check(offset, 1);
    const rest = this.length - offset;
    for (const room of [USUAL_STRING, max + 1]) {
      const bytes = this.slice(offset, Math.min(room, max + 1, rest));
      const end = bytes.indexOf(0);
      if (end >= 0) {
        return decodeText(bytes.subarray(0, end));
      }
    }
    throw new BinaryError(
      'malformed',
      `${this.#what} of ${this.#image.name} has a string at offset ${hex(offset)} that does not end within ${max} bytes.`,
    );
  }
}
