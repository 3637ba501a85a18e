import { classicMap, type MapTypeLayout, stridedMap, swissMap } from './maplayouts.ts';

/**
 * Where Go keeps things: one table per Go version, all offsets and sizes in bytes, for 64-bit targets. What concerns maps is
 * in maplayouts.ts. test/gobinary/layouts.test.ts compares every row with the DWARF of a program built with that version.
 */

export const oldestMinor = 17;
export const newestMinor = 27;

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
export const pcdataInlineTree = 2;
export const funcdataInlineTree = 3;
export const funcdataArgInfo = 5;

/**
 * Keyed by pcHeader.magic.
 * Header and functab: src/runtime/symtab.go (pcHeader, functab). _func: src/runtime/runtime2.go.
 * Inline node (inlinedCall): src/runtime/symtab.go Go 1.17..1.19, src/runtime/symtabinl.go since Go 1.20.
 */
export const pclntabLayouts: ReadonlyMap<number, PclntabLayout> = new Map([
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
export const pclntabMagicTooOld = 0xfffffffb;

/** The start of runtime.moduledata, the same in all supported versions (src/runtime/symtab.go). */
export const moduledataPrefix = {
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

/** What differs between Go versions and is not told by the function table's magic. */
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
export const typeLayout = {
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

export const typeFlag = { uncommon: 1, extraStar: 2, named: 4, regularMemory: 8 } as const;
export const kindMask = 31;
export const directInterfaceBit = 1 << 5;

/**
 * Fields after abi.Type, by kind (internal/abi/type.go: ArrayType, InterfaceType, PtrType, SliceType, StructType, StructField,
 * MapType; runtime/type.go up to Go 1.20).
 */
export const kindLayout = {
  array: { elem: 48, length: 64, size: 72 },
  interface: { methodCount: 64, size: 80 },
  pointer: { elem: 48 },
  slice: { elem: 48 },
  struct: { fields: 56, fieldCount: 64, size: 80 },
  field: { name: 0, type: 8, offset: 16, size: 24 },
  map: { key: 48, elem: 56, group: 64, hasher: 72 },
} as const;

/** abi.UncommonType (internal/abi/type.go; runtime/type.go up to Go 1.20): what a named type's descriptor ends with. Its first field. */
export const uncommonLayout = { pkgPath: 0 } as const;

const magic117 = 0xfffffffa;
const magic118 = 0xfffffff0;
const magic120 = 0xfffffff1;

const moduledata117: ModuledataLayout = { types: 280, etypes: 288, size: 536 };
const moduledata118: ModuledataLayout = { types: 280, etypes: 288, gofunc: 304, size: 552 };
const moduledata120: ModuledataLayout = { types: 296, etypes: 304, gofunc: 320, size: 568 };
const moduledata121: ModuledataLayout = { ...moduledata120, size: 592 };
const moduledata123: ModuledataLayout = { ...moduledata120, size: 584 };
const moduledata126: ModuledataLayout = { ...moduledata120, size: 592 };
const moduledata127: ModuledataLayout = { types: 296, etypes: 312, gofunc: 344, size: 568 };

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
export const goLayouts: ReadonlyMap<number, GoLayout> = new Map([
  row(17, magic117, moduledata117, { classicMap }),
  row(18, magic118, moduledata118, { classicMap }),
  row(19, magic118, moduledata118, { classicMap }),
  row(20, magic120, moduledata120, { classicMap }),
  row(21, magic120, moduledata121, { classicMap }),
  row(22, magic120, moduledata121, { classicMap }),
  row(23, magic120, moduledata123, { classicMap }),
  row(24, magic120, moduledata123, { classicMap, swissMap }),
  row(25, magic120, moduledata123, { classicMap, swissMap }),
  row(26, magic120, moduledata126, { swissMap }),
  row(27, magic120, moduledata127, { swissMap: stridedMap }),
]);

/** The layouts of a Go version. Versions newer than the newest known one get its layouts; openGoBinary admits them on request only. */
export function layoutFor(minor: number): GoLayout | undefined {
  return goLayouts.get(Math.min(minor, newestMinor));
}
