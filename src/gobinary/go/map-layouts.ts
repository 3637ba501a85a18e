/**
 * Where Go keeps what belongs to maps: the fields of map type descriptors and of the maps themselves. All offsets and sizes
 * in bytes, for 64-bit targets. layouts.ts and runtime-structures.ts say which Go version has which.
 *
 * The decoder in bpf/ reads maps through C structs (classic_map, swiss_map, swiss_table), and itself the descriptors of types
 * made at run time (gomap/map_type.bpf.h); test/gobinary/decoder-layouts.test.ts compares both with the tables here.
 */

/** Fields of a map type descriptor after the common abi.Type. `flags` is an offset; indirectKey and the like are bits in it. */
export interface MapTypeLayout {
  readonly kind: 'classic' | 'swiss' | 'swiss-strides';
  readonly size: number;
  readonly flags: number;
  readonly indirectKey: number;
  readonly indirectElem: number;
}

/** Go 1.17..1.23 maptype, and OldMapType of Go 1.24 and 1.25 built with GOEXPERIMENT=noswissmap (internal/abi/map_noswiss.go). */
export const CLASSIC_MAP_FIELDS = { keySlot: 80, elemSlot: 81, bucketSize: 82 } as const;
export const CLASSIC_MAP: MapTypeLayout = {
  kind: 'classic',
  size: 88,
  flags: 84,
  indirectKey: 1,
  indirectElem: 2,
};

/** Go 1.24 to 1.26 (internal/abi/map_swiss.go; map.go in 1.26). */
export const SWISS_MAP_FIELDS = { groupSize: 80, slotSize: 88, elemOffset: 96 } as const;
export const SWISS_MAP: MapTypeLayout = {
  kind: 'swiss',
  size: 112,
  flags: 104,
  indirectKey: 4,
  indirectElem: 8,
};

/** Go 1.27 (internal/abi/map.go): explicit strides, so that both group layouts of that version read the same way. */
export const STRIDED_MAP_FIELDS = {
  groupSize: 80,
  keysOffset: 88,
  keyStride: 96,
  elemsOffset: 104,
  elemStride: 112,
} as const;
export const STRIDED_MAP: MapTypeLayout = { ...SWISS_MAP, kind: 'swiss-strides', size: 136, flags: 128 };

/**
 * runtime.hmap, a classic map: src/runtime/map.go in Go 1.17 to 1.23, src/runtime/map_noswiss.go in 1.24 and 1.25 (which
 * puts clearSeq behind nevacuate; a lookup reads nothing from there on).
 */
export const HMAP_FIELDS = {
  count: 0,
  flags: 8,
  B: 9,
  noverflow: 10,
  hash0: 12,
  buckets: 16,
  oldbuckets: 24,
} as const;

/** internal/runtime/maps.Map, a Swiss map: src/internal/runtime/maps/map.go, Go 1.24 to 1.27. */
export const SWISS_HEADER_FIELDS = {
  used: 0,
  seed: 8,
  dirPtr: 16,
  dirLen: 24,
  globalDepth: 32,
  globalShift: 33,
  writing: 34,
} as const;

/** internal/runtime/maps.table: src/internal/runtime/maps/table.go, Go 1.24 to 1.27. `groups` is a groupsReference. */
export const SWISS_TABLE_FIELDS = {
  used: 0,
  capacity: 2,
  growthLeft: 4,
  localDepth: 6,
  index: 8,
  groups: 16,
} as const;

/** internal/runtime/maps.groupsReference: src/internal/runtime/maps/group.go, Go 1.24 to 1.27. */
export const GROUPS_REFERENCE_FIELDS = { data: 0, lengthMask: 8 } as const;
