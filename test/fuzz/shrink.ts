import { deflateSync } from 'node:zlib';
import { FUNCDATA_INLINE_TREE, KIND_LAYOUT, KIND_MASK, TYPE_LAYOUT } from '../../src/gobinary/go/layouts.ts';
import { KIND } from '../../src/gobinary/types/type-table.ts';
import { ElfWriter, execute, type Region, type SectionSpec, words, write } from './elfwriter.ts';
import { buildInformation, type Part, schedinit, shrinkModule, shrinkTables } from './shrinktables.ts';
import { fieldTables, inlineTrees, interestingTypes, openWhole, type WholeProgram } from './wholeprogram.ts';

/** A small executable with the tables of a real one, and its parts that are worth damaging. */
export interface Seed {
  readonly name: string;
  readonly bytes: Buffer;
  readonly regions: readonly Region[];
  /** Addresses that mean something in it. */
  readonly addresses: readonly number[];
}

export interface SeedOptions {
  /** Leave out the section headers and the build information, so that everything has to be searched for. */
  readonly bare?: boolean;
  /** Compress the debug information: as Go 1.19 and newer do, or as older ones do. */
  readonly compression?: 'section flag' | 'zdebug';
}

/** Functions kept, of more than a thousand. */
const functions = 100;
const page = 0x1000;
const sectionCompressed = 0x800;
/** Offsets of what there is in the seed's writable segment. */
const data = {
  buildInfo: 0x400,
  buildVersion: 0x600,
  note: 0x680,
  funcval: 0x7f8,
  dynamic: 0x800,
  relocations: 0x900,
  size: 0x1000,
  memory: 0x3000,
} as const;

/** Makes a seed of the program at `path`: its first functions, all of its types, its records, in a small file. */
export function shrink(name: string, path: string, options: SeedOptions = {}): Seed {
  const whole = openWhole(path);
  const { binary, module } = whole;
  const { image, types, version, pie } = binary;
  const last = image.segments.at(-1);
  const tablesAddress = roundUp((last?.address ?? 0) + (last?.memorySize ?? 0));
  const tables = shrinkTables(whole, functions, tablesAddress);
  const dataAddress = tablesAddress + roundUp(tables.bytes.length);
  const code = whole.table.entry(functions) - module.text;

  const elf = new ElfWriter();
  elf.segment(module.text, codeThatReads(whole, code, dataAddress + data.buildVersion + 8), execute);
  elf.segment(tablesAddress, tables.bytes);
  const parts: Part[] = [...tables.parts];
  const typeAddresses = interestingTypes(binary);
  elf.segment(types.start, typesWithFunctions(whole, typeAddresses, dataAddress + data.funcval));
  parts.push(...typeAddresses.map((address, i) => ({ name: `type ${i}`, address, length: 136 })));
  parts.push(...fieldTables(binary, typeAddresses).map((part, i) => ({ ...part, name: `fields ${i}` })));
  const trees = inlineTrees(whole, functions, FUNCDATA_INLINE_TREE);
  if (trees !== undefined) {
    parts.push({ name: 'inline trees', address: trees.start, length: trees.end - trees.start });
    const inTypes = trees.start < types.end && trees.end > types.start;
    if (!inTypes) {
      elf.segment(trees.start, image.read(trees.start, trees.end - trees.start));
    }
  }
  const memory = dataSegment(whole, tables, code, dataAddress);
  if (options.bare === true) {
    memory.fill(0, data.buildInfo, data.buildVersion);
  }
  elf.segment(dataAddress, memory, write, data.memory);
  parts.push(...dataParts(dataAddress, whole.moduleSize, pie));
  elf.programHeader(4, dataAddress + data.note, data.funcval - data.note);
  if (pie) {
    elf.programHeader(2, dataAddress + data.dynamic, 0x80);
  }
  if (options.bare !== true) {
    const place = (section: string, address: number, length: number): void =>
      elf.section({ name: section, type: 1, flags: 2, address, bytes: new Uint8Array(length) });
    place('.gopclntab', tablesAddress, tables.bytes.length);
    place('.go.buildinfo', dataAddress + data.buildInfo, data.buildVersion - data.buildInfo);
    if (version.minor >= 26) {
      place('.go.module', dataAddress, whole.moduleSize);
    }
    elf.section(debugSection('info', whole.debugInfo, options));
    elf.section(debugSection('abbrev', whole.debugAbbrev, options));
    for (const section of symbolSections(whole)) {
      elf.section(section);
    }
  }
  const { file, regions, offsetOf } = elf.write(pie);
  const inner = parts.map(({ address, ...part }) => ({ ...part, start: offsetOf(address) }));
  const addresses = [module.text, module.text + code, types.start, types.end, tablesAddress, dataAddress];
  addresses.push(...typeAddresses.slice(0, 20), trees?.start ?? 0, dataAddress + data.memory);
  return { name, bytes: file, regions: [...regions, ...inner], addresses };
}

/** The code of the functions, of which the one that is called runtime.schedinit here has an operand that leads to `address`. */
function codeThatReads({ binary, module, table }: WholeProgram, size: number, address: number): Buffer {
  const code = Buffer.from(binary.image.read(module.text, size));
  const at = table.entry(schedinit) - module.text + 2;
  code.writeInt32LE(address - (module.text + at + 4), at);
  return code;
}

function roundUp(value: number): number {
  return Math.ceil(value / page) * page;
}

/** The type table, in which the equality and hash functions of these types are the one whose function value is at `funcval`. */
function typesWithFunctions({ binary }: WholeProgram, addresses: readonly number[], funcval: number): Buffer {
  const { start, end } = binary.types;
  const bytes = Buffer.from(binary.image.read(start, end - start));
  for (const address of addresses) {
    const at = address - start;
    if (bytes.readBigUInt64LE(at + TYPE_LAYOUT.equal) !== 0n) {
      words(bytes, at + TYPE_LAYOUT.equal, [funcval]);
    }
    if (((bytes[at + TYPE_LAYOUT.kind] ?? 0) & KIND_MASK) === KIND.map) {
      words(bytes, at + KIND_LAYOUT.map.hasher, [funcval]);
    }
  }
  return bytes;
}

function dataParts(address: number, moduleSize: number, pie: boolean): Part[] {
  const part = (name: string, start: number, length: number): Part => ({
    ...{ name, length },
    address: address + start,
  });
  return [
    part('module record', 0, moduleSize),
    part('build information', data.buildInfo, 0xa0),
    part('version text', data.buildVersion, 0x60),
    part('note', data.note, 0x70),
    ...(pie
      ? [part('dynamic section', data.dynamic, 0x80), part('relocations', data.relocations, 0x180)]
      : []),
  ];
}

function dataSegment(
  whole: WholeProgram,
  tables: ReturnType<typeof shrinkTables>,
  code: number,
  address: number,
): Buffer {
  const { binary, module } = whole;
  const bytes = Buffer.alloc(data.size);
  const record = shrinkModule(whole, tables, functions, code);
  record.copy(bytes);
  buildInformation(binary.version.minor, binary.version.text, address + data.buildInfo).copy(
    bytes,
    data.buildInfo,
  );
  // The version, and behind it what looks like one: which is right depends on the code of runtime.schedinit.
  const { text } = binary.version;
  const texts = address + data.buildVersion + 32;
  words(bytes, data.buildVersion, [texts, text.length, texts + 32, 7]);
  bytes.write(text.padEnd(32).concat('go1.999'), data.buildVersion + 32);
  words(bytes, data.funcval, [module.text]);
  const buildId = binary.buildId ?? '';
  bytes.writeUInt32LE(4, data.note);
  bytes.writeUInt32LE(buildId.length, data.note + 4);
  bytes.writeUInt32LE(4, data.note + 8);
  bytes.write(`Go\0\0${buildId}`, data.note + 12);
  if (binary.pie) {
    relocate(bytes, record, module.text, address);
  }
  return bytes;
}

/** Has the first pointers of the module record written by relocations, as the linker does. */
function relocate(bytes: Buffer, record: Buffer, lowest: number, address: number): void {
  let count = 0;
  for (let at = 0; at + 8 <= record.length && count < 16; at += 8) {
    const value = Number(record.readBigUInt64LE(at));
    if (value < lowest || value > address + data.memory) {
      continue;
    }
    words(bytes, at, [0]);
    words(bytes, data.relocations + 24 * count, [address + at, 8, value]);
    count++;
  }
  words(bytes, data.dynamic, [7, address + data.relocations, 8, 24 * count, 9, 24, 0, 0]);
}

function debugSection(name: string, content: Buffer, { compression }: SeedOptions): SectionSpec {
  const plain = { name: `.debug_${name}`, type: 1, bytes: content };
  if (compression === undefined) {
    return plain;
  }
  const deflated = deflateSync(content);
  if (compression === 'zdebug') {
    const header = Buffer.from('ZLIB\0\0\0\0\0\0\0\0');
    header.writeUInt32BE(content.length, 8);
    return { name: `.zdebug_${name}`, type: 1, bytes: Buffer.concat([header, deflated]) };
  }
  const header = Buffer.alloc(24);
  words(header, 0, [1, content.length, 1]);
  return { ...plain, flags: sectionCompressed, bytes: Buffer.concat([header, deflated]) };
}

function symbolSections({ table }: WholeProgram): SectionSpec[] {
  let strings = '\0';
  const symbols = Buffer.alloc(24 * 21);
  for (let i = 0; i < 20; i++) {
    symbols.writeUInt32LE(strings.length, 24 * (i + 1));
    symbols.writeUInt16LE(1, 24 * (i + 1) + 6);
    words(symbols, 24 * (i + 1) + 8, [table.entry(i), table.entry(i + 1) - table.entry(i)]);
    strings += `${table.name(i)}\0`;
  }
  return [
    { name: '.symtab', type: 2, link: '.strtab', bytes: symbols },
    { name: '.strtab', type: 3, bytes: Buffer.from(strings) },
  ];
}
