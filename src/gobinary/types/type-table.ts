import type { GoBinary, ReadMemory } from '../binary.ts';
import { BinaryError, hex } from '../error.ts';
import type { Image } from '../file/image.ts';
import { decodeText, Reader } from '../file/reader.ts';
import {
  DIRECT_INTERFACE_BIT,
  type GoLayout,
  KIND_MASK,
  layoutFor,
  TYPE_FLAG,
  TYPE_LAYOUT,
} from '../go/layouts.ts';
import type { MapTypeLayout } from '../go/map-layouts.ts';

/** reflect.Kind (internal/abi/type.go), unchanged in all supported versions. */
export const KIND = {
  bool: 1,
  float32: 13,
  float64: 14,
  complex64: 15,
  complex128: 16,
  array: 17,
  chan: 18,
  func: 19,
  interface: 20,
  map: 21,
  pointer: 22,
  slice: 23,
  string: 24,
  struct: 25,
  unsafePointer: 26,
} as const;

/** The fields of an abi.Type that are used here. Sizes in bytes, pointers as live addresses (see TypeTable). */
export interface TypeHeader {
  readonly address: number;
  readonly size: number;
  readonly ptrBytes: number;
  readonly tflag: number;
  readonly align: number;
  readonly fieldAlign: number;
  readonly kind: number;
  /** Whether an interface holds the value itself instead of a pointer to it. */
  readonly direct: boolean;
  /** Address of the funcval of the equality function; 0 for types that cannot be compared. */
  readonly equal: number;
  readonly str: number;
}

const MAX_NAME_BYTES = 0x4000;
/**
 * What may be spent on types: bounds the work on descriptors made to waste time. Reading every type of a program takes about a
 * step for each 50 to 140 bytes of its type table.
 */
const BASE_BUDGET = 100_000;
const BYTES_PER_STEP = 8;
const NAME_BYTES_PER_STEP = 64;

/**
 * Access to type descriptors. Descriptors the linker wrote are read from the image; with `read`, descriptors made at
 * run time (reflect.MapOf and the like) are read from the process. All addresses passed in and out are live ones:
 * link-time address plus `bias`. Without `read` the bias is 0 and the two are the same.
 */
export class TypeTable {
  readonly layout: GoLayout;
  readonly mapLayout: MapTypeLayout;
  readonly #image: Image;
  readonly #types: { readonly start: number; readonly end: number };
  readonly #read: ReadMemory | undefined;
  readonly #bias: number;
  /** Steps left: see spend. */
  #budget: number;

  constructor(binary: GoBinary, read?: ReadMemory, bias = 0) {
    const layout = layoutFor(binary.version.minor);
    const mapLayout = binary.mapImplementation === 'swiss' ? layout?.swissMap : layout?.classicMap;
    if (layout === undefined || mapLayout === undefined) {
      throw new TypeError(`No type layout for ${binary.version.text}, ${binary.mapImplementation}`);
    }
    this.layout = layout;
    this.mapLayout = mapLayout;
    this.#image = binary.image;
    this.#types = binary.types;
    this.#budget = BASE_BUDGET + Math.floor((binary.types.end - binary.types.start) / BYTES_PER_STEP);
    this.#read = read;
    this.#bias = bias;
  }

  /** Counts steps of a walk over types, or of reading names; false when this table has done enough. */
  spend(steps = 1): boolean {
    this.#budget -= steps;
    return this.#budget >= 0;
  }

  /** Whether the linker wrote the descriptor at this address. */
  isStatic(address: number): boolean {
    const link = address - this.#bias;
    return link >= this.#types.start && link < this.#types.end;
  }

  /** Whether `address` is that of code. */
  isCode(address: number): boolean {
    return this.#image.isExecutable(address - this.#bias);
  }

  #inImage(address: number, length: number): boolean {
    return this.#image.contains(address - this.#bias, length);
  }

  bytes(address: number, length: number): Uint8Array {
    if (this.#read === undefined || this.#inImage(address, length)) {
      return this.#image.read(address - this.#bias, length);
    }
    let bytes: Uint8Array;
    try {
      bytes = this.#read(address, length);
    } catch (cause) {
      throw new BinaryError('malformed', `The type descriptor at ${hex(address)} cannot be read.`, { cause });
    }
    if (bytes.length !== length) {
      throw new BinaryError('malformed', `The type descriptor at ${hex(address)} was read incompletely.`);
    }
    return bytes;
  }

  /** A pointer stored at `address`: link-time in the image, already live in the process. */
  pointer(address: number): number {
    if (this.#inImage(address, 8)) {
      const link = this.#image.u64(address - this.#bias);
      return link === 0 ? 0 : link + this.#bias;
    }
    return new Reader(this.bytes(address, 8), 'A pointer').u64(0);
  }

  word(address: number): number {
    if (this.#inImage(address, 8)) {
      return this.#image.u64(address - this.#bias);
    }
    return new Reader(this.bytes(address, 8), 'A type descriptor').u64(0);
  }

  header(address: number): TypeHeader {
    const at = TYPE_LAYOUT;
    const bytes = new Reader(this.bytes(address, at.size), 'A type descriptor');
    const rawKind = bytes.u8(at.kind);
    const tflag = bytes.u8(at.tflag);
    const directSource = this.layout.directInterface === 'kind' ? rawKind : tflag;
    return {
      address,
      size: bytes.u64(at.size_),
      ptrBytes: bytes.u64(at.ptrBytes),
      tflag,
      align: bytes.u8(at.align),
      fieldAlign: bytes.u8(at.fieldAlign),
      kind: rawKind & KIND_MASK,
      direct: (directSource & DIRECT_INTERFACE_BIT) !== 0,
      equal: this.pointer(address + at.equal),
      str: bytes.i32(at.str),
    };
  }

  /**
   * The type's name as reflect prints it, or undefined for a type made at run time, whose name is not in the file.
   * `str` is an offset from the start of the type table (src/runtime/type.go, resolveNameOff).
   */
  name(type: TypeHeader): string | undefined {
    if (!this.isStatic(type.address) || type.str < 0) {
      return undefined;
    }
    const text = this.nameAtOffset(type.str);
    return (type.tflag & TYPE_FLAG.extraStar) !== 0 ? text.slice(1) : text;
  }

  /** The name at an offset from the start of the type table (abi.NameOff). */
  nameAtOffset(offset: number): string {
    return this.nameText(this.#types.start + this.#bias + offset);
  }

  /** The text of an abi.Name: a flag byte, a uvarint length, the bytes (internal/abi/type.go, since Go 1.17). */
  nameText(address: number): string {
    let length = 0;
    let at = address + 1;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes(at++, 1)[0] ?? 0;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        break;
      }
      if (shift >= 14) {
        throw new BinaryError('malformed', `The type name at ${hex(address)} is too long.`);
      }
    }
    if (length > MAX_NAME_BYTES || !this.spend(1 + length / NAME_BYTES_PER_STEP)) {
      throw new BinaryError('malformed', `The type name at ${hex(address)} is too long.`);
    }
    return decodeText(this.bytes(at, length));
  }
}
