import type { GoBinary, ReadMemory } from '../binary.ts';
import { BinaryError } from '../error.ts';
import { Reader } from '../file/reader.ts';
import { KIND_LAYOUT, KIND_MASK, TYPE_FLAG, TYPE_LAYOUT } from '../go/layouts.ts';
import { CLASSIC_MAP_FIELDS, STRIDED_MAP_FIELDS, SWISS_MAP_FIELDS } from '../go/map-layouts.ts';
import { equalityIn } from './equality.ts';
import type { MapType } from './map-type.ts';
import { KIND, type TypeHeader, TypeTable } from './type-table.ts';

type Slots = Pick<MapType, 'keysOffset' | 'keyStride' | 'elemsOffset' | 'elemStride' | 'groupSize'>;

const SLOTS_PER_GROUP = 8;
const CTRL_SIZE = 8;
const POINTER_SIZE = 8;
/** What stands for the name of a type that was made at run time. */
const UNNAMED = '?';

/** Every map type descriptor that the linker wrote, in address order. */
export function findMapTypes(binary: GoBinary): MapType[] {
  const table = new TypeTable(binary);
  const found: MapType[] = [];
  for (const address of mapCandidates(binary)) {
    const type = decode(table, address, 0);
    if (type !== undefined) {
      found.push(type);
    }
  }
  return found;
}

/**
 * The map type at `address`, or undefined if there is none. With `read` (and the load bias of the process) also types made at
 * run time are found: then `address` is a live one, `read` takes live addresses, and the result is as MapType says.
 */
export function mapTypeAt(
  binary: GoBinary,
  address: number,
  read?: ReadMemory,
  bias = 0,
): MapType | undefined {
  if (!Number.isSafeInteger(address) || address % 8 !== 0) {
    return undefined;
  }
  const table = new TypeTable(binary, read, bias);
  return read === undefined && !table.isStatic(address) ? undefined : decode(table, address, bias);
}

/** Aligned addresses whose bytes start like a map's abi.Type: kind map, size 8, 8 pointer bytes, alignment 8. */
function* mapCandidates(binary: GoBinary): Generator<number> {
  const { start, end } = binary.types;
  const bytes = binary.image.read(start, end - start);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = TYPE_LAYOUT;
  for (let offset = (8 - (start % 8)) % 8; offset + at.size <= bytes.length; offset += 8) {
    if (((bytes[offset + at.kind] ?? 0) & KIND_MASK) !== KIND.map) {
      continue;
    }
    if (bytes[offset + at.align] !== 8 || bytes[offset + at.fieldAlign] !== 8) {
      continue;
    }
    if (
      view.getUint32(offset, true) !== POINTER_SIZE ||
      view.getUint32(offset + at.ptrBytes, true) !== POINTER_SIZE
    ) {
      continue;
    }
    yield start + offset;
  }
}

/** The descriptor at a live address, if all in it agrees. */
function decode(table: TypeTable, address: number, bias: number): MapType | undefined {
  try {
    return decodeChecked(table, address, bias);
  } catch (error) {
    if (error instanceof BinaryError) {
      return undefined;
    }
    throw error;
  }
}

function decodeChecked(table: TypeTable, address: number, bias: number): MapType | undefined {
  const self = table.header(address);
  if (self.kind !== KIND.map || self.size !== POINTER_SIZE || self.ptrBytes !== POINTER_SIZE) {
    return undefined;
  }
  const pointers = [KIND_LAYOUT.map.key, KIND_LAYOUT.map.elem, KIND_LAYOUT.map.group].map((field) =>
    table.pointer(address + field),
  );
  if (table.isStatic(address) && !pointers.every((pointer) => table.isStatic(pointer))) {
    return undefined;
  }
  const [key, elem, group] = pointers.map((pointer) => table.header(pointer));
  if (key === undefined || elem === undefined || group === undefined) {
    return undefined;
  }
  const funcval = table.pointer(address + KIND_LAYOUT.map.hasher);
  const hasher = funcval === 0 ? 0 : table.pointer(funcval);
  if (!table.isCode(hasher)) {
    return undefined;
  }

  const layout = table.mapLayout;
  const bytes = new Reader(table.bytes(address, layout.size), 'A map type descriptor');
  const flags = bytes.u32(layout.flags);
  const indirectKey = (flags & layout.indirectKey) !== 0;
  const indirectElem = (flags & layout.indirectElem) !== 0;
  const slots = readSlots(bytes, layout.kind);
  const keySlot = indirectKey ? POINTER_SIZE : key.size;
  const elemSlot = indirectElem ? POINTER_SIZE : elem.size;
  if (!fits(slots, keySlot, elemSlot) || group.size !== slots.groupSize) {
    return undefined;
  }
  const keyName = nameOf(table, key);
  const elemName = nameOf(table, elem);
  return {
    address: address - bias,
    name: table.name(self) ?? `map[${keyName}]${elemName}`,
    isDeclared: (self.tflag & TYPE_FLAG.named) !== 0,
    keyName,
    elemName,
    keySize: key.size,
    ...slots,
    indirectKey,
    indirectElem,
    keyType: key.address - bias,
    elemType: elem.address - bias,
    keyEquality: equalityIn(table, key.address),
    hasher: hasher - bias,
  };
}

function readSlots(bytes: Reader, layout: 'classic' | 'swiss' | 'swiss-strides'): Slots {
  switch (layout) {
    case 'classic': {
      const keyStride = bytes.u8(CLASSIC_MAP_FIELDS.keySlot);
      return {
        keysOffset: CTRL_SIZE,
        keyStride,
        elemsOffset: CTRL_SIZE + SLOTS_PER_GROUP * keyStride,
        elemStride: bytes.u8(CLASSIC_MAP_FIELDS.elemSlot),
        groupSize: bytes.u16(CLASSIC_MAP_FIELDS.bucketSize),
      };
    }
    case 'swiss': {
      const slot = bytes.u64(SWISS_MAP_FIELDS.slotSize);
      return {
        keysOffset: CTRL_SIZE,
        keyStride: slot,
        elemsOffset: CTRL_SIZE + bytes.u64(SWISS_MAP_FIELDS.elemOffset),
        elemStride: slot,
        groupSize: bytes.u64(SWISS_MAP_FIELDS.groupSize),
      };
    }
    case 'swiss-strides':
      return {
        keysOffset: bytes.u64(STRIDED_MAP_FIELDS.keysOffset),
        keyStride: bytes.u64(STRIDED_MAP_FIELDS.keyStride),
        elemsOffset: bytes.u64(STRIDED_MAP_FIELDS.elemsOffset),
        elemStride: bytes.u64(STRIDED_MAP_FIELDS.elemStride),
        groupSize: bytes.u64(STRIDED_MAP_FIELDS.groupSize),
      };
  }
}

/** Whether eight keys and elements of these slot sizes fit in the group as the offsets and strides say. */
function fits(slots: Slots, keySlot: number, elemSlot: number): boolean {
  const { keysOffset, keyStride, elemsOffset, elemStride, groupSize } = slots;
  const inside = (offset: number, stride: number, size: number): boolean =>
    offset >= CTRL_SIZE && stride >= size && offset + (SLOTS_PER_GROUP - 1) * stride + size <= groupSize;
  return inside(keysOffset, keyStride, keySlot) && inside(elemsOffset, elemStride, elemSlot);
}

/** A type's name; types made at run time get one only where it follows from their parts. */
function nameOf(table: TypeTable, type: TypeHeader): string {
  return table.name(type) ?? UNNAMED;
}
