import { type Equality, equalityIn } from './equality.ts';
import { BinaryError } from './error.ts';
import type { GoBinary } from './gobinary.ts';
import { kindLayout, kindMask, typeLayout } from './layouts.ts';
import { classicMapFields, stridedMapFields, swissMapFields } from './maplayouts.ts';
import { Reader } from './reader.ts';
import { kind, type ReadMemory, type TypeHeader, TypeTable } from './types.ts';

/**
 * A map type, and where a bucket (classic) or group (Swiss) of its maps keeps keys and elements: key i is at
 * keysOffset + i * keyStride, element i at elemsOffset + i * elemStride, i = 0..7. Sizes and offsets in bytes.
 * Addresses are link-time ones; for a type made at run time, the live address minus the load bias.
 */
export interface MapType {
  readonly address: number;
  /** As reflect prints it, for example "map[string]*main.User". */
  readonly name: string;
  readonly keyName: string;
  readonly elemName: string;
  /** Size of a key, also where the slot holds only a pointer to it. */
  readonly keySize: number;
  readonly keysOffset: number;
  readonly keyStride: number;
  readonly elemsOffset: number;
  readonly elemStride: number;
  /** Size of a group, or of a classic bucket including its overflow pointer. */
  readonly groupSize: number;
  /** The slot holds a pointer to the key, as it is longer than 128 bytes. */
  readonly indirectKey: boolean;
  readonly indirectElem: boolean;
  /** The key is or holds an interface, so hashing it can panic. */
  readonly hashMightPanic: boolean;
  readonly keyType: number;
  readonly elemType: number;
  readonly keyEquality: Equality;
  /** Address of the hash function's code. */
  readonly hasher: number;
}

type Slots = Pick<MapType, 'keysOffset' | 'keyStride' | 'elemsOffset' | 'elemStride' | 'groupSize'>;

const slotsPerGroup = 8;
const ctrlSize = 8;
const pointerSize = 8;
/** What stands for the name of a type that was made at run time. */
const unnamed = '?';

/** Every map type descriptor that the linker wrote, in address order. */
export function findMapTypes(binary: GoBinary): MapType[] {
  const table = new TypeTable(binary);
  const found: MapType[] = [];
  for (const address of mapCandidates(binary)) {
    const type = decode(table, address, 0);
    if (type !== undefined) found.push(type);
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
  if (!Number.isSafeInteger(address) || address % 8 !== 0) return undefined;
  const table = new TypeTable(binary, read, bias);
  return read === undefined && !table.isStatic(address) ? undefined : decode(table, address, bias);
}

/** Aligned addresses whose bytes start like a map's abi.Type: kind map, size 8, 8 pointer bytes, alignment 8. */
function* mapCandidates(binary: GoBinary): Generator<number> {
  const { start, end } = binary.types;
  const bytes = binary.image.read(start, end - start);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = typeLayout;
  for (let offset = (8 - (start % 8)) % 8; offset + at.size <= bytes.length; offset += 8) {
    if (((bytes[offset + at.kind] ?? 0) & kindMask) !== kind.map) continue;
    if (bytes[offset + at.align] !== 8 || bytes[offset + at.fieldAlign] !== 8) continue;
    if (
      view.getUint32(offset, true) !== pointerSize ||
      view.getUint32(offset + at.ptrBytes, true) !== pointerSize
    )
      continue;
    yield start + offset;
  }
}

/** The descriptor at a live address, if all in it agrees. */
function decode(table: TypeTable, address: number, bias: number): MapType | undefined {
  try {
    return decodeChecked(table, address, bias);
  } catch (error) {
    if (error instanceof BinaryError) return undefined;
    throw error;
  }
}

function decodeChecked(table: TypeTable, address: number, bias: number): MapType | undefined {
  const self = table.header(address);
  if (self.kind !== kind.map || self.size !== pointerSize || self.ptrBytes !== pointerSize) return undefined;
  const pointers = [kindLayout.map.key, kindLayout.map.elem, kindLayout.map.group].map((field) =>
    table.pointer(address + field),
  );
  if (table.isStatic(address) && !pointers.every((pointer) => table.isStatic(pointer))) return undefined;
  const [key, elem, group] = pointers.map((pointer) => table.header(pointer));
  if (key === undefined || elem === undefined || group === undefined) return undefined;
  const funcval = table.pointer(address + kindLayout.map.hasher);
  const hasher = funcval === 0 ? 0 : table.pointer(funcval);
  if (!table.isCode(hasher)) return undefined;

  const layout = table.mapLayout;
  const bytes = new Reader(table.bytes(address, layout.size), 'A map type descriptor');
  const flags = bytes.u32(layout.flags);
  const indirectKey = (flags & layout.indirectKey) !== 0;
  const indirectElem = (flags & layout.indirectElem) !== 0;
  const slots = readSlots(bytes, layout.kind);
  const keySlot = indirectKey ? pointerSize : key.size;
  const elemSlot = indirectElem ? pointerSize : elem.size;
  if (!fits(slots, keySlot, elemSlot) || group.size !== slots.groupSize) return undefined;
  const keyName = nameOf(table, key);
  const elemName = nameOf(table, elem);
  return {
    address: address - bias,
    name: table.name(self) ?? `map[${keyName}]${elemName}`,
    keyName,
    elemName,
    keySize: key.size,
    ...slots,
    indirectKey,
    indirectElem,
    hashMightPanic: (flags & layout.hashMightPanic) !== 0,
    keyType: key.address - bias,
    elemType: elem.address - bias,
    keyEquality: equalityIn(table, key.address),
    hasher: hasher - bias,
  };
}

function readSlots(bytes: Reader, layout: 'classic' | 'swiss' | 'swiss-strides'): Slots {
  switch (layout) {
    case 'classic': {
      const keyStride = bytes.u8(classicMapFields.keySlot);
      return {
        keysOffset: ctrlSize,
        keyStride,
        elemsOffset: ctrlSize + slotsPerGroup * keyStride,
        elemStride: bytes.u8(classicMapFields.elemSlot),
        groupSize: bytes.u16(classicMapFields.bucketSize),
      };
    }
    case 'swiss': {
      const slot = bytes.u64(swissMapFields.slotSize);
      return {
        keysOffset: ctrlSize,
        keyStride: slot,
        elemsOffset: ctrlSize + bytes.u64(swissMapFields.elemOffset),
        elemStride: slot,
        groupSize: bytes.u64(swissMapFields.groupSize),
      };
    }
    case 'swiss-strides':
      return {
        keysOffset: bytes.u64(stridedMapFields.keysOffset),
        keyStride: bytes.u64(stridedMapFields.keyStride),
        elemsOffset: bytes.u64(stridedMapFields.elemsOffset),
        elemStride: bytes.u64(stridedMapFields.elemStride),
        groupSize: bytes.u64(stridedMapFields.groupSize),
      };
  }
}

/** Whether eight keys and elements of these slot sizes fit in the group as the offsets and strides say. */
function fits(slots: Slots, keySlot: number, elemSlot: number): boolean {
  const { keysOffset, keyStride, elemsOffset, elemStride, groupSize } = slots;
  const inside = (offset: number, stride: number, size: number): boolean =>
    offset >= ctrlSize && stride >= size && offset + (slotsPerGroup - 1) * stride + size <= groupSize;
  return inside(keysOffset, keyStride, keySlot) && inside(elemsOffset, elemStride, elemSlot);
}

/** A type's name; types made at run time get one only where it follows from their parts. */
function nameOf(table: TypeTable, type: TypeHeader): string {
  return table.name(type) ?? unnamed;
}
