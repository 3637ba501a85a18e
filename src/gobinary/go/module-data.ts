import { BinaryError, hex } from '../error.ts';
import type { Image } from '../file/image.ts';
import { ImageTable } from '../file/image-table.ts';
import { Reader, type Table } from '../file/reader.ts';
import {
  type GoLayout,
  MODULEDATA_PREFIX,
  PCLNTAB_LAYOUTS,
  PCLNTAB_MAGIC_TOO_OLD,
  type PclntabLayout,
} from './layouts.ts';

/**
 * runtime.moduledata, the record from which the runtime reaches everything else. The part in front of the version
 * dependent fields is the same from Go 1.16 to 1.27, so it can be found before the version is known.
 */
export interface ModuleStart {
  readonly address: number;
  readonly pclntabAddress: number;
  readonly magic: number;
  readonly layout: PclntabLayout;
  readonly functionCount: number;
  readonly funcnametab: Table;
  /** Array of 32-bit offsets into filetab. */
  readonly cutab: Table;
  readonly filetab: Table;
  readonly pctab: Table;
  readonly pclntable: Table;
  readonly pclntableAddress: number;
  readonly functab: Table;
  readonly text: number;
  readonly etext: number;
}

/** The version dependent fields. */
export interface ModuleRest {
  readonly types: number;
  readonly etypes: number;
  readonly gofunc: number | undefined;
}

/** A pcHeader: magic, two zero bytes, minLC 1 (x86-64), pointer size 8. Source: src/runtime/symtab.go (pcHeader). */
const HEADER_TAIL = [0, 0, 1, 8] as const;
const HEADER_SIZE = 72;
const MAX_FUNCTIONS = 0x400_0000;
/** Real programs have one header and a few pointers to it. In files made to waste time no more are tried than these, in all segments. */
const MAX_HEADERS = 16;
const MAX_POINTERS = 4096;

function headerPattern(magic: number): Uint8Array {
  const pattern = new Uint8Array(8);
  new DataView(pattern.buffer).setUint32(0, magic, true);
  pattern.set(HEADER_TAIL, 4);
  return pattern;
}

/**
 * Finds the module record. `hints` are addresses where one of the two ends is expected (section starts): a function
 * table header or the record itself. A hint that fails is no error, the whole image is searched then.
 */
export function findModule(
  image: Image,
  path: string,
  hints: { pclntab: number | undefined; moduledata: number | undefined },
): ModuleStart {
  if (hints.moduledata !== undefined) {
    const found = tryModule(image, hints.moduledata);
    if (found !== undefined) {
      return found;
    }
  }
  if (hints.pclntab !== undefined) {
    const found = searchModule(image, hints.pclntab);
    if (found !== undefined) {
      return found;
    }
  }
  for (const magic of PCLNTAB_LAYOUTS.keys()) {
    for (const address of headerAddresses(image, magic)) {
      const found = searchModule(image, address);
      if (found !== undefined) {
        return found;
      }
    }
  }
  throw notFound(image, path, hints.pclntab);
}

/** Addresses of what looks like a function table header with this magic. */
function* headerAddresses(image: Image, magic: number): Generator<number> {
  const pattern = headerPattern(magic);
  let left = MAX_HEADERS;
  for (const segment of image.segments) {
    for (const address of image.occurrences(segment, pattern, left)) {
      left--;
      if (address % 8 === 0) {
        yield address;
      }
    }
  }
}

function notFound(image: Image, path: string, pclntab: number | undefined): BinaryError {
  const old = headerAddresses(image, PCLNTAB_MAGIC_TOO_OLD).next().value;
  if (typeof old === 'number' && (pclntab === undefined || pclntab === old)) {
    return new BinaryError(
      'go-version',
      `${path} was built with Go 1.15 or older; Go 1.17 or newer is needed.`,
    );
  }
  if (pclntab !== undefined && image.contains(pclntab, 8)) {
    const magic = image.u32(pclntab);
    if (!PCLNTAB_LAYOUTS.has(magic)) {
      return new BinaryError(
        'go-version',
        `${path} has a Go function table of an unknown format (${hex(magic)}): its Go is newer than 1.27, so mapscope must be updated, or the file was altered, as garble does.`,
      );
    }
    return new BinaryError(
      'malformed',
      `${path} has a Go function table, but no Go module record that leads to it.`,
    );
  }
  return new BinaryError('not-go', `${path} is not a Go program: it has no Go function table.`);
}

/** The module record whose first word points to the header at `pclntab`, in any segment that is not code. */
function searchModule(image: Image, pclntab: number): ModuleStart | undefined {
  const needle = new Uint8Array(8);
  const view = new DataView(needle.buffer);
  view.setUint32(0, pclntab >>> 0, true);
  view.setUint32(4, Math.floor(pclntab / 0x1_0000_0000), true);
  let left = MAX_POINTERS;
  for (const segment of image.segments) {
    if (segment.executable) {
      continue;
    }
    for (const address of image.occurrences(segment, needle, left)) {
      left--;
      const found = address % 8 === 0 ? tryModule(image, address) : undefined;
      if (found !== undefined) {
        return found;
      }
    }
  }
  return undefined;
}

/** Reads the record at `address` if everything in it agrees; undefined if not. */
function tryModule(image: Image, address: number): ModuleStart | undefined {
  const at = MODULEDATA_PREFIX;
  if (!image.inFile(address, at.size)) {
    return undefined;
  }
  const record = new Reader(image.read(address, at.size), 'The Go module record');
  const pclntab = record.u64(at.pcHeader);
  if (pclntab % 8 !== 0 || !image.inFile(pclntab, HEADER_SIZE)) {
    return undefined;
  }
  const header = new Reader(image.read(pclntab, HEADER_SIZE), 'The Go function table header');
  const magic = header.u32(0);
  const layout = PCLNTAB_LAYOUTS.get(magic);
  if (layout === undefined || HEADER_TAIL.some((byte, i) => header.u8(4 + i) !== byte)) {
    return undefined;
  }

  const tables = TABLES.map(({ name, field, width }, i) => {
    const expected = pclntab + header.u64(layout.tableOffsets + 8 * i);
    return record.u64(field) === expected ? table(image, record, field, width, name) : undefined;
  });
  const [funcnametab, cutab, filetab, pctab, pclntable] = tables;
  const functionCount = header.u64(8);
  const text = record.u64(at.text);
  const etext = record.u64(at.etext);
  if (!funcnametab || !cutab || !filetab || !pctab || !pclntable) {
    return undefined;
  }
  if (functionCount === 0 || functionCount > MAX_FUNCTIONS || record.u64(at.ftab + 8) !== functionCount + 1) {
    return undefined;
  }
  if (!(text < etext && image.isExecutable(text) && image.inFile(text, etext - text))) {
    return undefined;
  }
  const functab = table(image, record, at.ftab, layout.functabField * 2, 'The function table');
  if (functab === undefined) {
    return undefined;
  }
  return {
    address,
    pclntabAddress: pclntab,
    magic,
    layout,
    functionCount,
    funcnametab,
    cutab,
    filetab,
    pctab,
    pclntable,
    pclntableAddress: record.u64(at.pclntable),
    functab,
    text,
    etext,
  };
}

/** The tables in the order in which the header has their offsets. */
const TABLES = [
  { name: 'The function names', field: MODULEDATA_PREFIX.funcnametab, width: 1 },
  { name: 'The file index', field: MODULEDATA_PREFIX.cutab, width: 4 },
  { name: 'The file names', field: MODULEDATA_PREFIX.filetab, width: 1 },
  { name: 'The pc-value tables', field: MODULEDATA_PREFIX.pctab, width: 1 },
  { name: 'The function records', field: MODULEDATA_PREFIX.pclntable, width: 1 },
] as const;

/** What the Go slice header at `field` leads to, whose elements have `width` bytes; undefined when the file does not hold it. */
function table(image: Image, record: Reader, field: number, width: number, name: string): Table | undefined {
  const address = record.u64(field);
  const length = record.u64(field + 8) * width;
  return image.inFile(address, length) ? new ImageTable(image, address, length, name) : undefined;
}

/** The fields that need the version; throws BinaryError when they do not make sense for it. */
export function readModuleRest(
  image: Image,
  module: ModuleStart,
  layout: GoLayout,
  path: string,
): ModuleRest {
  const fields = layout.moduledata;
  const record = new Reader(image.read(module.address, fields.size), 'The Go module record');
  const types = record.u64(fields.types);
  const etypes = record.u64(fields.etypes);
  const gofunc = fields.gofunc === undefined ? undefined : record.u64(fields.gofunc);
  if (!(types < etypes && image.inFile(types, etypes - types))) {
    throw new BinaryError(
      'malformed',
      `${path}, read as a program of Go 1.${layout.minor}, has a type table (${hex(types)} to ${hex(etypes)}) that is not in the file.`,
    );
  }
  return { types, etypes, gofunc };
}
