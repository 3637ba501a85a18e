import { BinaryError, hex } from '../error.ts';
import type { Reader } from '../file/reader.ts';

/** DWARF 4 and 5, table "Attribute form encodings": those with a fixed size (32-bit DWARF, 8-byte addresses), in bytes. */
const FIXED_SIZES: ReadonlyMap<number, number> = new Map([
  [0x01, 8], // addr
  [0x05, 2], // data2
  [0x06, 4], // data4
  [0x07, 8], // data8
  [0x0b, 1], // data1
  [0x0c, 1], // flag
  [0x0e, 4], // strp
  [0x10, 4], // ref_addr
  [0x11, 1], // ref1
  [0x12, 2], // ref2
  [0x13, 4], // ref4
  [0x14, 8], // ref8
  [0x17, 4], // sec_offset
  [0x19, 0], // flag_present
  [0x1c, 4], // ref_sup4
  [0x1d, 4], // strp_sup
  [0x1e, 16], // data16
  [0x1f, 4], // line_strp
  [0x20, 8], // ref_sig8
  [0x21, 0], // implicit_const: the value is in the abbreviation
  [0x24, 8], // ref_sup8
  [0x25, 1], // strx1
  [0x26, 2],
  [0x27, 3],
  [0x28, 4],
  [0x29, 1], // addrx1
  [0x2a, 2],
  [0x2b, 3],
  [0x2c, 4],
]);
/** sdata, udata, ref_udata, strx, addrx, loclistx, rnglistx. */
const VARIABLE_LENGTH: ReadonlySet<number> = new Set([0x0d, 0x0f, 0x15, 0x1a, 0x1b, 0x22, 0x23]);

export const FORM = {
  data2: 0x05,
  data4: 0x06,
  string: 0x08,
  data1: 0x0b,
  udata: 0x0f,
  implicitConst: 0x21,
} as const;

/** An attribute as an abbreviation declares it. */
export interface AttributeSpec {
  readonly name: number;
  readonly form: number;
  /** Of form implicit_const. */
  readonly value: number;
}

/** The offset after an attribute's value; throws BinaryError for a form that is not known. */
export function skipForm(info: Reader, at: number, spec: AttributeSpec, maxString: number): number {
  const size = FIXED_SIZES.get(spec.form);
  if (size !== undefined) {
    return at + size;
  }
  if (VARIABLE_LENGTH.has(spec.form)) {
    return info.uvarint(at).next;
  }
  switch (spec.form) {
    case FORM.string:
      return info.cstringEnd(at, maxString) + 1;
    case 0x03: // block2
      return at + 2 + info.u16(at);
    case 0x04: // block4
      return at + 4 + info.u32(at);
    case 0x0a: // block1
      return at + 1 + info.u8(at);
    case 0x09: // block
    case 0x18: {
      // exprloc
      const { value, next } = info.uvarint(at);
      return next + value;
    }
    default:
      throw new BinaryError('malformed', `The debug information has an attribute of form ${hex(spec.form)}.`);
  }
}

/** A small unsigned constant; undefined for forms that hold none. */
export function constantOf(info: Reader, at: number, spec: AttributeSpec): number | undefined {
  switch (spec.form) {
    case FORM.data1:
      return info.u8(at);
    case FORM.data2:
      return info.u16(at);
    case FORM.data4:
      return info.u32(at);
    case FORM.udata:
      return info.uvarint(at).value;
    case FORM.implicitConst:
      return spec.value;
    default:
      return undefined;
  }
}
