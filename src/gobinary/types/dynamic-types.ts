import type { GoBinary } from '../binary.ts';
import { BinaryError } from '../error.ts';
import { KIND_MASK, TYPE_LAYOUT } from '../go/layouts.ts';
import { equalityIn } from './equality.ts';
import type { Equality } from './map-type.ts';
import { KIND, TypeTable } from './type-table.ts';

/** A comparable type that a value in an interface may have. */
export interface DynamicType {
  readonly address: number;
  readonly name: string;
  /** Size of a value in bytes. */
  readonly size: number;
  /** The interface's data word is the value itself, not a pointer to it. */
  readonly direct: boolean;
  readonly equality: Equality;
}

/** Size and alignment by kind, for kinds that have a fixed one: bool, int, ..., complex128, then chan, interface, ... */
const FIXED_SIZES: ReadonlyMap<number, number> = new Map([
  [1, 1],
  [2, 8],
  [3, 1],
  [4, 2],
  [5, 4],
  [6, 8],
  [7, 8],
  [8, 1],
  [9, 2],
  [10, 4],
  [11, 8],
  [12, 8],
  [KIND.float32, 4],
  [KIND.float64, 8],
  [KIND.complex64, 8],
  [KIND.complex128, 16],
  [KIND.chan, 8],
  [KIND.interface, 16],
  [KIND.pointer, 8],
  [KIND.string, 16],
  [KIND.unsafePointer, 8],
]);
const MAX_SIZE = 2 ** 32;

/**
 * Type descriptors of comparable types, in address order: those that can be distinguished from other data in the type table.
 * Types that cannot be compared, and so cannot be found in a key, are left out.
 */
export function* dynamicTypes(binary: GoBinary): Generator<DynamicType> {
  const { start, end } = binary.types;
  const table = new TypeTable(binary);
  const bytes = binary.image.read(start, end - start);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = (8 - (start % 8)) % 8; offset + TYPE_LAYOUT.size <= bytes.length; offset += 8) {
    if (!looksLikeType(view, offset)) {
      continue;
    }
    const type = describe(binary, table, start + offset);
    if (type !== undefined) {
      yield type;
    }
  }
}

/** The cheap part of the test: kind, size, alignment and pointer bytes agree. */
function looksLikeType(view: DataView, offset: number): boolean {
  const at = TYPE_LAYOUT;
  const kindOfType = view.getUint8(offset + at.kind) & KIND_MASK;
  if (kindOfType === 0 || kindOfType > KIND.unsafePointer) {
    return false;
  }
  const fixed = FIXED_SIZES.get(kindOfType);
  if (fixed === undefined && kindOfType !== KIND.array && kindOfType !== KIND.struct) {
    return false;
  }
  const align = view.getUint8(offset + at.align);
  if (!(align === 1 || align === 2 || align === 4 || align === 8)) {
    return false;
  }
  if (view.getUint8(offset + at.fieldAlign) !== align) {
    return false;
  }
  const size = view.getUint32(offset, true);
  const ptrBytes = view.getUint32(offset + at.ptrBytes, true);
  if (view.getUint32(offset + 4, true) !== 0 || view.getUint32(offset + at.ptrBytes + 4, true) !== 0) {
    return false;
  }
  if (fixed !== undefined && size !== fixed) {
    return false;
  }
  return size < MAX_SIZE && size % align === 0 && ptrBytes <= size && ptrBytes % 8 === 0;
}

function describe(binary: GoBinary, table: TypeTable, address: number): DynamicType | undefined {
  try {
    const type = table.header(address);
    if (
      type.equal === 0 ||
      !binary.image.contains(type.equal, 8) ||
      !table.isCode(table.pointer(type.equal))
    ) {
      return undefined;
    }
    const name = table.name(type);
    if (name === undefined || name === '') {
      return undefined;
    }
    return { address, name, size: type.size, direct: type.direct, equality: equalityIn(table, address) };
  } catch (error) {
    if (error instanceof BinaryError) {
      return undefined;
    }
    throw error;
  }
}
