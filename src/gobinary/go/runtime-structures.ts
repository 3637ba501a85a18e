import { goroutineLayout } from './goroutine-layouts.ts';
import { type GoLayout, KIND_LAYOUT, MODULEDATA_PREFIX, TYPE_LAYOUT } from './layouts.ts';
import {
  CLASSIC_MAP_FIELDS,
  GROUPS_REFERENCE_FIELDS,
  HMAP_FIELDS,
  type MapTypeLayout,
  STRIDED_MAP_FIELDS,
  SWISS_HEADER_FIELDS,
  SWISS_MAP_FIELDS,
  SWISS_TABLE_FIELDS,
} from './map-layouts.ts';

/** A structure of the Go runtime: its name and its fields' as Go's debug information spells them, offsets in bytes. */
export interface RuntimeStructure {
  readonly name: string;
  readonly fields: Readonly<Record<string, number>>;
}

/** Every structure of a Go version that has to do with its tables and maps, with the fields that mapscope relies on. */
export function runtimeStructures(
  layout: GoLayout,
  mapImplementation: 'classic' | 'swiss',
): readonly RuntimeStructure[] {
  const descriptor = mapImplementation === 'swiss' ? layout.swissMap : layout.classicMap;
  return [
    ...(mapImplementation === 'swiss' ? SWISS_MAPS : CLASSIC_MAPS),
    ...(descriptor === undefined ? [] : [mapDescriptor(layout.minor, descriptor)]),
    typeDescriptor(layout.minor),
    moduledata(layout),
  ];
}

/** Those from which a goroutine's labels are read; none for a version whose goroutines are not known. */
export function goroutineStructures(minor: number): readonly RuntimeStructure[] {
  const layout = goroutineLayout(minor);
  if (layout === undefined) {
    return [];
  }
  const { goid, parentGoid, labels, machine: m, current: curg } = layout;
  return [
    { name: 'runtime.g', fields: { goid, labels, m, ...(parentGoid !== undefined && { parentGoid }) } },
    { name: 'runtime.m', fields: { curg } },
  ];
}

const CLASSIC_MAPS: readonly RuntimeStructure[] = [{ name: 'runtime.hmap', fields: HMAP_FIELDS }];
const SWISS_MAPS: readonly RuntimeStructure[] = [
  { name: 'internal/runtime/maps.Map', fields: SWISS_HEADER_FIELDS },
  { name: 'internal/runtime/maps.table', fields: SWISS_TABLE_FIELDS },
  { name: 'internal/runtime/maps.groupsReference', fields: GROUPS_REFERENCE_FIELDS },
];

/** src/runtime/type.go (maptype) up to Go 1.20; src/internal/abi/map*.go since; the name in Go 1.24 and 1.25 shows the implementation. */
function mapDescriptor(minor: number, { kind, flags }: MapTypeLayout): RuntimeStructure {
  const { key, elem, group, hasher } = KIND_LAYOUT.map;
  if (minor <= 20) {
    const { keySlot: keysize, elemSlot: elemsize, bucketSize: bucketsize } = CLASSIC_MAP_FIELDS;
    return {
      name: 'runtime.maptype',
      fields: { key, elem, bucket: group, hasher, keysize, elemsize, bucketsize, flags },
    };
  }
  const common = { Key: key, Elem: elem, Hasher: hasher, Flags: flags };
  const both = minor === 24 || minor === 25;
  switch (kind) {
    case 'classic': {
      const { keySlot: KeySize, elemSlot: ValueSize, bucketSize: BucketSize } = CLASSIC_MAP_FIELDS;
      return {
        name: both ? 'internal/abi.OldMapType' : 'internal/abi.MapType',
        fields: { ...common, Bucket: group, KeySize, ValueSize, BucketSize },
      };
    }
    case 'swiss': {
      const { groupSize: GroupSize, slotSize: SlotSize, elemOffset: ElemOff } = SWISS_MAP_FIELDS;
      return {
        name: both ? 'internal/abi.SwissMapType' : 'internal/abi.MapType',
        fields: { ...common, Group: group, GroupSize, SlotSize, ElemOff },
      };
    }
    case 'swiss-strides': {
      const { groupSize: GroupSize, keysOffset: KeysOff, keyStride: KeyStride } = STRIDED_MAP_FIELDS;
      const { elemsOffset: ElemsOff, elemStride: ElemStride } = STRIDED_MAP_FIELDS;
      return {
        name: 'internal/abi.MapType',
        fields: { ...common, Group: group, GroupSize, KeysOff, KeyStride, ElemsOff, ElemStride },
      };
    }
  }
}

/** src/runtime/type.go (_type) up to Go 1.20, src/internal/abi/type.go since. */
function typeDescriptor(minor: number): RuntimeStructure {
  const { size_, ptrBytes, tflag, align, fieldAlign, kind, equal, str } = TYPE_LAYOUT;
  if (minor <= 20) {
    const fields = { size: size_, ptrdata: ptrBytes, tflag, align, fieldAlign, kind, equal, str };
    return { name: 'runtime._type', fields };
  }
  const fields = { Size_: size_, PtrBytes: ptrBytes, TFlag: tflag, Align_: align, FieldAlign_: fieldAlign };
  return { name: 'internal/abi.Type', fields: { ...fields, Kind_: kind, Equal: equal, Str: str } };
}

function moduledata({ moduledata: { types, etypes, gofunc } }: GoLayout): RuntimeStructure {
  const { size: _, ...prefix } = MODULEDATA_PREFIX;
  return {
    name: 'runtime.moduledata',
    fields: { ...prefix, types, etypes, ...(gofunc !== undefined && { gofunc }) },
  };
}
