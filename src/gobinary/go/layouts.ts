import { CLASSIC_MAP, type MapTypeLayout, STRIDED_MAP, SWISS_MAP } from './map-layouts.ts';

/**
 * Where Go keeps things: one table per Go version, all offsets and sizes in bytes, for 64-bit targets. What concerns maps is
 * in map-layouts.ts. test/gobinary/layouts.test.ts compares every row with the DWARF of a program built with that version.
 */

export const OLDEST_MINOR = 17;
export const NEWEST_MINOR = 27;

/** The function table's header and records. Chosen by the table's magic number, so no version is needed to read it. */
export interface PclntabLayout {
  /** Offset in the header of the first of five table offsets: function names, compilation units, files, pc data, functions. */
  readonly tableOffsets: number;
  /** Width of each of the two fields of a functab entry, and whether the first is an absolute address. */
  readonly functabField: 4 | 8;
  readonly func: FuncLayout;
  readonly inlineNode: { readonly size: number; readonly name: number; readonly parentPc: number };
}

/** runtime._func. All fields are 32-bit except the one-byte nfuncdata. */
export interface FuncLayout {
  readonly name: number;
  readonly pcsp: number;
  readonly pcfile: number;
  readonly pcln: number;
  readonly npcdata: number;
  readonly cuOffset: number;
  readonly nfuncdata: number;
  /** Where the npcdata pc-data offsets start; the funcdata follow. */
  readonly size: number;
  /** Funcdata are 4-byte offsets from moduledata.gofunc, or (Go 1.17) 8-byte addresses, 8-aligned. */
  readonly funcdata: 'offsets' | 'addresses';
}

/** internal/abi/symtab.go, Go 1.26: indexes into a function's pcdata and funcdata. Unchanged since Go 1.17. */
export const PCDATA_INLINE_TREE = 2;
export const FUNCDATA_INLINE_TREE = 3;
export const FUNCDATA_ARG_INFO = 5;

/**
 * Keyed by pcHeader.magic.
 * Header and functab: src/runtime/symtab.go (pcHeader, functab). _func: src/runtime/runtime2.go.
 * Inline node (inlinedCall): src/runtime/symtab.go Go 1.17..1.19, src/runtime/symtabinl.go since Go 1.20.
 */
export const PCLNTAB_LAYOUTS: ReadonlyMap<number, PclntabLayout> = new Map([
  [
    0xfffffffa, // Go 1.16 and 1.17
    {
      tableOffsets: 24,
      functabField: 8,
      func: {
        name: 8,
        pcsp: 20,
        pcfile: 24,
        pcln: 28,
        npcdata: 32,
        cuOffset: 36,
        nfuncdata: 43,
        size: 44,
        funcdata: 'addresses',
      },
      inlineNode: { size: 20, name: 12, parentPc: 16 },
    },
  ],
  [
    0xfffffff0, // Go 1.18 and 1.19
    {
      tableOffsets: 32,
      functabField: 4,
      func: {
        name: 4,
        pcsp: 16,
        pcfile: 20,
        pcln: 24,
        npcdata: 28,
        cuOffset: 32,
        nfuncdata: 39,
        size: 40,
        funcdata: 'offsets',
      },
      inlineNode: { size: 20, name: 12, parentPc: 16 },
    },
  ],
  [
    0xfffffff1, // Go 1.20 to 1.27
    {
      tableOffsets: 32,
      functabField: 4,
      func: {
        name: 4,
        pcsp: 16,
        pcfile: 20,
        pcln: 24,
        npcdata: 28,
        cuOffset: 32,
        nfuncdata: 43,
        size: 44,
        funcdata: 'offsets',
      },
      inlineNode: { size: 16, name: 4, parentPc: 8 },
    },
  ],
]);

/** Magic numbers of Go 1.15 and older (0xfffffffb since Go 1.2): recognised only to say that they are too old. */
export const PCLNTAB_MAGIC_TOO_OLD = 0xfffffffb;

/** The start of runtime.moduledata, the same in all supported versions (src/runtime/symtab.go). */
export const MODULEDATA_PREFIX = {
  pcHeader: 0,
  funcnametab: 8,
  cutab: 32,
  filetab: 56,
  pctab: 80,
  pclntable: 104,
  ftab: 128,
  text: 176,
  etext: 184,
  /** Bytes up to which all versions agree. */
  size: 256,
} as const;

/** The rest of runtime.moduledata, by version. */
export interface ModuledataLayout {
  readonly types: number;
  readonly etypes: number;
  /** Since Go 1.18: base of the 4-byte funcdata offsets. */
  readonly gofunc?: number;
  readonly size: number;
}

/** What differs between Go versions and does not follow from the function table's magic. */
export interface GoLayout {
  readonly minor: number;
  readonly pclntabMagic: number;
  readonly moduledata: ModuledataLayout;
  readonly classicMap: MapTypeLayout | undefined;
  readonly swissMap: MapTypeLayout | undefined;
  /** Bits to shift a struct field's offset word right: up to Go 1.18 its low bit says "embedded". */
  readonly fieldOffsetShift: 0 | 1;
  /** Where bit 1<<5, "an interface holds the value itself", is kept. */
  readonly directInterface: 'kind' | 'tflag';
}

/** abi.Type: internal/abi/type.go (runtime/type.go up to Go 1.20). The same in all supported versions. */
export const TYPE_LAYOUT = {
  size_: 0,
  ptrBytes: 8,
  hash: 16,
  tflag: 20,
  align: 21,
  fieldAlign: 22,
  kind: 23,
  equal: 24,
  gcData: 32,
  str: 40,
  size: 48,
} as const;

export const TYPE_FLAG = { uncommon: 1, extraStar: 2, named: 4, regularMemory: 8 } as const;
export const KIND_MASK = 31;
export const DIRECT_INTERFACE_BIT = 1 << 5;

/**
 * Fields after abi.Type, by kind (internal/abi/type.go: ArrayType, InterfaceType, PtrType, SliceType, StructType, StructField,
 * MapType; runtime/type.go up to Go 1.20).
 */
export const KIND_LAYOUT = {
  array: { elem: 48, length: 64, size: 72 },
  interface: { methodCount: 64, size: 80 },
  pointer: { elem: 48 },
  slice: { elem: 48 },
  struct: { fields: 56, fieldCount: 64, size: 80 },
  field: { name: 0, type: 8, offset: 16, size: 24 },
  map: { key: 48, elem: 56, group: 64, hasher: 72 },
} as const;

/** abi.UncommonType (internal/abi/type.go; runtime/type.go up to Go 1.20): what a named type's descriptor ends with. Its first field. */
export const UNCOMMON_LAYOUT = { pkgPath: 0 } as const;

const MAGIC_1_17 = 0xfffffffa;
const MAGIC_1_18 = 0xfffffff0;
const MAGIC_1_20 = 0xfffffff1;

const MODULEDATA_1_17: ModuledataLayout = { types: 280, etypes: 288, size: 536 };
const MODULEDATA_1_18: ModuledataLayout = { types: 280, etypes: 288, gofunc: 304, size: 552 };
const MODULEDATA_1_20: ModuledataLayout = { types: 296, etypes: 304, gofunc: 320, size: 568 };
const MODULEDATA_1_21: ModuledataLayout = { ...MODULEDATA_1_20, size: 592 };
const MODULEDATA_1_23: ModuledataLayout = { ...MODULEDATA_1_20, size: 584 };
const MODULEDATA_1_26: ModuledataLayout = { ...MODULEDATA_1_20, size: 592 };
const MODULEDATA_1_27: ModuledataLayout = { types: 296, etypes: 312, gofunc: 344, size: 568 };

function row(
  minor: number,
  pclntabMagic: number,
  moduledata: ModuledataLayout,
  maps: { classicMap?: MapTypeLayout; swissMap?: MapTypeLayout },
): [number, GoLayout] {
  const layout: GoLayout = {
    minor,
    pclntabMagic,
    moduledata,
    classicMap: maps.classicMap,
    swissMap: maps.swissMap,
    fieldOffsetShift: minor <= 18 ? 1 : 0,
    directInterface: minor >= 26 ? 'tflag' : 'kind',
  };
  return [minor, layout];
}

/** Keyed by the minor version: 17 for Go 1.17. */
export const GO_LAYOUTS: ReadonlyMap<number, GoLayout> = new Map([
  row(17, MAGIC_1_17, MODULEDATA_1_17, { classicMap: CLASSIC_MAP }),
  row(18, MAGIC_1_18, MODULEDATA_1_18, { classicMap: CLASSIC_MAP }),
  row(19, MAGIC_1_18, MODULEDATA_1_18, { classicMap: CLASSIC_MAP }),
  row(20, MAGIC_1_20, MODULEDATA_1_20, { classicMap: CLASSIC_MAP }),
  row(21, MAGIC_1_20, MODULEDATA_1_21, { classicMap: CLASSIC_MAP }),
  row(22, MAGIC_1_20, MODULEDATA_1_21, { classicMap: CLASSIC_MAP }),
  row(23, MAGIC_1_20, MODULEDATA_1_23, { classicMap: CLASSIC_MAP }),
  row(24, MAGIC_1_20, MODULEDATA_1_23, { classicMap: CLASSIC_MAP, swissMap: SWISS_MAP }),
  row(25, MAGIC_1_20, MODULEDATA_1_23, { classicMap: CLASSIC_MAP, swissMap: SWISS_MAP }),
  row(26, MAGIC_1_20, MODULEDATA_1_26, { swissMap: SWISS_MAP }),
  row(27, MAGIC_1_20, MODULEDATA_1_27, { swissMap: STRIDED_MAP }),
]);

/** The layouts of a Go version. Versions newer than the newest known one get its layouts; openGoBinary admits them on request only. */
export function layoutFor(minor: number): GoLayout | undefined {
  return GO_LAYOUTS.get(Math.min(minor, NEWEST_MINOR));
}
