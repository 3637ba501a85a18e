import { goroutineLayout } from './goroutines.ts';
import { type GoLayout, kindLayout, moduledataPrefix, typeLayout } from './layouts.ts';
import {
  classicMapFields,
  groupsReferenceFields,
  hmapFields,
  type MapTypeLayout,
  stridedMapFields,
  swissHeaderFields,
  swissMapFields,
  swissTableFields,
} from './maplayouts.ts';

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
    ...(mapImplementation === 'swiss' ? swissMaps : classicMaps),
    ...(descriptor === undefined ? [] : [mapDescriptor(layout.minor, descriptor)]),
    typeDescriptor(layout.minor),
    moduledata(layout),
  ];
}

/** Those from which a goroutine's labels are read; none for a version whose goroutines are not known. */
export function goroutineStructures(minor: number): readonly RuntimeStructure[] {
  const layout = goroutineLayout(minor);
  if (layout === undefined) return [];
  const { goid, parentGoid, labels, machine: m, current: curg } = layout;
  return [
    { name: 'runtime.g', fields: { goid, labels, m, ...(parentGoid !== undefined && { parentGoid }) } },
    { name: 'runtime.m', fields: { curg } },
  ];
}

const classicMaps: readonly RuntimeStructure[] = [{ name: 'runtime.hmap', fields: hmapFields }];
const swissMaps: readonly RuntimeStructure[] = [
  { name: 'internal/runtime/maps.Map', fields: swissHeaderFields },
  { name: 'internal/runtime/maps.table', fields: swissTableFields },
  { name: 'internal/runtime/maps.groupsReference', fields: groupsReferenceFields },
];

/** src/runtime/type.go (maptype) up to Go 1.20; src/internal/abi/map*.go since; the name in Go 1.24 and 1.25 tells the implementation. */
function mapDescriptor(minor: number, { kind, flags }: MapTypeLayout): RuntimeStructure {
  const { key, elem, group, hasher } = kindLayout.map;
  if (minor <= 20) {
    const { keySlot: keysize, elemSlot: elemsize, bucketSize: bucketsize } = classicMapFields;
    return {
      name: 'runtime.maptype',
      fields: { key, elem, bucket: group, hasher, keysize, elemsize, bucketsize, flags },
    };
  }
  const common = { Key: key, Elem: elem, Hasher: hasher, Flags: flags };
  const both = minor === 24 || minor === 25;
  switch (kind) {
    case 'classic': {
      const { keySlot: KeySize, elemSlot: ValueSize, bucketSize: BucketSize } = classicMapFields;
      return {
        name: both ? 'internal/abi.OldMapType' : 'internal/abi.MapType',
        fields: { ...common, Bucket: group, KeySize, ValueSize, BucketSize },
      };
    }
    case 'swiss': {
      const { groupSize: GroupSize, slotSize: SlotSize, elemOffset: ElemOff } = swissMapFields;
      return {
        name: both ? 'internal/abi.SwissMapType' : 'internal/abi.MapType',
        fields: { ...common, Group: group, GroupSize, SlotSize, ElemOff },
      };
    }
    case 'swiss-strides': {
      const { groupSize: GroupSize, keysOffset: KeysOff, keyStride: KeyStride } = stridedMapFields;
      const { elemsOffset: ElemsOff, elemStride: ElemStride } = stridedMapFields;
      return {
        name: 'internal/abi.MapType',
        fields: { ...common, Group: group, GroupSize, KeysOff, KeyStride, ElemsOff, ElemStride },
      };
    }
  }
}

/** src/runtime/type.go (_type) up to Go 1.20, src/internal/abi/type.go since. */
function typeDescriptor(minor: number): RuntimeStructure {
  const { size_, ptrBytes, tflag, align, fieldAlign, kind, equal, str } = typeLayout;
  if (minor <= 20) {
    const fields = { size: size_, ptrdata: ptrBytes, tflag, align, fieldAlign, kind, equal, str };
    return { name: 'runtime._type', fields };
  }
  const fields = { Size_: size_, PtrBytes: ptrBytes, TFlag: tflag, Align_: align, FieldAlign_: fieldAlign };
  return { name: 'internal/abi.Type', fields: { ...fields, Kind_: kind, Equal: equal, Str: str } };
}

function moduledata({ moduledata: { types, etypes, gofunc } }: GoLayout): RuntimeStructure {
  const { size: _, ...prefix } = moduledataPrefix;
  return {
    name: 'runtime.moduledata',
    fields: { ...prefix, types, etypes, ...(gofunc !== undefined && { gofunc }) },
  };
}
