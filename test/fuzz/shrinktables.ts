import type { Table } from '../../src/gobinary/file/reader.ts';
import { MODULEDATA_PREFIX } from '../../src/gobinary/go/layouts.ts';
import { words } from './elfwriter.ts';
import type { WholeProgram } from './wholeprogram.ts';

/** Part of some memory. */
export interface Part {
  readonly name: string;
  readonly address: number;
  readonly length: number;
}

/** The function table and all that belongs to it, at a new address. */
export interface Tables {
  readonly bytes: Buffer;
  readonly parts: readonly Part[];
}

const headerSize = 72;
/** The function that gets the name runtime.schedinit, which is too far back in the real program to be kept. */
export const schedinit = 20;
const whole = (table: Table): Uint8Array => table.slice(0, table.length);
const align = (value: number): number => Math.ceil(value / 8) * 8;

/**
 * The tables of the first `count` functions. Names and files stay whole; function records and pc-value tables are cut off
 * behind the last one that is needed, which changes no offset but those in the function table itself.
 */
export function shrinkTables({ binary, module }: WholeProgram, count: number, address: number): Tables {
  const { layout } = module;
  const functab = Buffer.from(whole(module.functab));
  const width = layout.functabField;
  const record = (i: number): number => functab.readUIntLE(i * 2 * width + width, Math.min(width, 6));
  const tableSize = (count + 1) * 2 * width;
  // The distance that records move is a multiple of 8, because what is in them may be aligned.
  const start = tableSize + ((record(0) - tableSize) & 7);
  const records = Buffer.from(module.pclntable.slice(record(0), record(count) - record(0)));
  const table = Buffer.concat([functab.subarray(0, tableSize), Buffer.alloc(start - tableSize), records]);
  let lastTable = 0;
  for (let i = 0; i < count; i++) {
    const moved = record(i) - record(0) + start;
    table.writeUIntLE(moved, i * 2 * width + width, Math.min(width, 6));
    const { name, pcsp, pcfile, pcln, npcdata, size } = layout.func;
    if (i === schedinit) {
      const at = Buffer.from(whole(module.funcnametab)).indexOf('\0runtime.schedinit\0');
      table.writeUInt32LE(at + 1, moved + name);
    }
    const data = Array.from({ length: table.readUInt32LE(moved + npcdata) }, (_, k) => size + 4 * k);
    for (const field of [pcsp, pcfile, pcln, ...data]) {
      lastTable = Math.max(lastTable, table.readUInt32LE(moved + field));
    }
  }
  const contents = [
    { name: 'function names', bytes: whole(module.funcnametab) },
    { name: 'file index', bytes: whole(module.cutab) },
    { name: 'file names', bytes: whole(module.filetab) },
    { name: 'pc-value tables', bytes: module.pctab.slice(0, Math.min(lastTable + 512, module.pctab.length)) },
    { name: 'function records', bytes: table },
  ];
  let size = headerSize;
  const parts: Part[] = contents.map(({ name, bytes }) => {
    const part = { name, address: address + size, length: bytes.length };
    size = align(size + bytes.length);
    return part;
  });
  const all = Buffer.alloc(size);
  all.set(binary.image.read(module.pclntabAddress, headerSize));
  words(all, 8, [count]);
  contents.forEach(({ bytes }, i) => {
    const offset = (parts[i]?.address ?? 0) - address;
    words(all, layout.tableOffsets + 8 * i, [offset]);
    all.set(bytes, offset);
  });
  const functionTable = { name: 'function table', address: parts[4]?.address ?? 0, length: tableSize };
  const header = { name: 'function table header', address, length: headerSize };
  return { bytes: all, parts: [...parts, functionTable, header] };
}

/** The module record, leading to the new tables and to the first `code` bytes of code. */
export function shrinkModule(whole: WholeProgram, { parts }: Tables, count: number, code: number): Buffer {
  const { binary, module, moduleSize } = whole;
  const record = Buffer.from(binary.image.read(module.address, moduleSize));
  const at = MODULEDATA_PREFIX;
  const [names, index, files, values, records] = parts;
  for (const [field, part, width] of [
    [at.funcnametab, names, 1],
    [at.cutab, index, 4],
    [at.filetab, files, 1],
    [at.pctab, values, 1],
    [at.pclntable, records, 1],
  ] as const) {
    const length = (part?.length ?? 0) / width;
    words(record, field, [part?.address ?? 0, length, length]);
  }
  words(record, at.ftab, [records?.address ?? 0, count + 1, count + 1]);
  words(record, at.pcHeader, [(names?.address ?? 0) - headerSize]);
  words(record, at.text, [module.text, module.text + code]);
  return record;
}

const modinfo = 'path\tseed\nmod\tseed\t(devel)\t\nbuild\t-compiler=gc\nbuild\tGOARCH=amd64\n';

/** Build information as it is at `address`: with texts in it (Go 1.18), or with pointers to Go strings. */
export function buildInformation(minor: number, version: string, address: number): Buffer {
  const framed = Buffer.from(`${'0'.repeat(16)}${modinfo}${'1'.repeat(16)}`);
  const bytes = Buffer.alloc(0x180);
  bytes.write('\xff Go buildinf:', 0, 'latin1');
  bytes[14] = 8;
  if (minor >= 18) {
    bytes[15] = 2;
    bytes[32] = version.length;
    bytes.write(version, 33);
    bytes[33 + version.length] = framed.length;
    framed.copy(bytes, 34 + version.length);
    return bytes;
  }
  words(bytes, 16, [address + 32, address + 48]);
  words(bytes, 32, [address + 64, version.length, address + 96, framed.length]);
  bytes.write(version, 64);
  framed.copy(bytes, 96);
  return bytes;
}
