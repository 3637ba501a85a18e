import { readDebugSection } from '../../src/gobinary/dwarf/sections.ts';
import { readElf, sectionNamed } from '../../src/gobinary/file/elf.ts';
import { OpenFile } from '../../src/gobinary/file/file.ts';
import { Image } from '../../src/gobinary/file/image.ts';
import { applyRelocations } from '../../src/gobinary/file/relocations.ts';
import { FunctionTable } from '../../src/gobinary/functions/pclntab.ts';
import { KIND_LAYOUT, KIND_MASK, layoutFor, TYPE_LAYOUT } from '../../src/gobinary/go/layouts.ts';
import { findModule, type ModuleStart } from '../../src/gobinary/go/module-data.ts';
import { goroutineStructures, runtimeStructures } from '../../src/gobinary/go/runtime-structures.ts';
import { dynamicTypes, type GoBinary } from '../../src/gobinary/index.ts';
import { readGoBinary } from '../../src/gobinary/open.ts';
import { KIND } from '../../src/gobinary/types/type-table.ts';

/** What a seed takes from a whole program. */
export interface WholeProgram {
  readonly binary: GoBinary;
  readonly module: ModuleStart;
  readonly moduleSize: number;
  readonly gofunc: number | undefined;
  readonly table: FunctionTable;
  readonly debugInfo: Buffer;
  readonly debugAbbrev: Buffer;
}

/** Opens a program with debug information. */
export function openWhole(path: string): WholeProgram {
  // It is read as long as what this returns is in use.
  const file = new OpenFile(path);
  const elf = readElf(file);
  const image = Image.load(file, elf);
  applyRelocations(image, elf, path);
  const moduledata = sectionNamed(elf, '.go.module')?.address;
  const module = findModule(image, path, { pclntab: undefined, moduledata });
  const binary = readGoBinary(file);
  const layout = layoutFor(binary.version.minor);
  if (layout === undefined) {
    throw new Error(`${path}: no layout`);
  }
  const { gofunc, size } = layout.moduledata;
  const section = (name: string): Buffer =>
    Buffer.from(readDebugSection(file, elf, name, 2 ** 25)?.bytes ?? []);
  const names = [
    ...runtimeStructures(layout, binary.mapImplementation),
    ...goroutineStructures(layout.minor),
  ].map(({ name }) => name);
  return {
    binary,
    module,
    moduleSize: size,
    gofunc: gofunc === undefined ? undefined : image.u64(module.address + gofunc),
    table: new FunctionTable(module, path),
    debugInfo: structuresOnly(section('info'), names),
    debugAbbrev: section('abbrev'),
  };
}

/** Debug information that has one unit, with nothing in it but the start of each of these structures' entries. */
function structuresOnly(info: Buffer, names: readonly string[]): Buffer {
  const parts = [info.subarray(0, info.readUInt16LE(4) === 5 ? 12 : 11)];
  for (const name of names) {
    let at = info.indexOf(`${name}\0`);
    // The entry itself, not one that mentions it: its name follows the code of its abbreviation, a small number.
    while (at > 0 && (info[at - 1] ?? 0) >= 0x29) {
      at = info.indexOf(`${name}\0`, at + 1);
    }
    if (at <= 0) {
      throw new Error(`no debug information on ${name}`);
    }
    parts.push(info.subarray(at - 1, at + (/moduledata|runtime\.[gm]$/.test(name) ? 2500 : 400)));
  }
  const unit = Buffer.concat(parts);
  unit.writeUInt32LE(unit.length - 4, 0);
  return unit;
}

/** Addresses of map types, of the types they are made of, and of some others. */
export function interestingTypes(binary: GoBinary): number[] {
  const maps = binary.mapTypes().flatMap(({ address, keyType, elemType }) => {
    const group = binary.image.u64(address + KIND_LAYOUT.map.group);
    return [address, keyType, elemType, group];
  });
  const others = [...dynamicTypes(binary)].slice(0, 48).map(({ address }) => address);
  return [...new Set([...maps, ...others])];
}

/** Where the fields of the struct types among these are described. */
export function fieldTables(
  { image }: GoBinary,
  addresses: readonly number[],
): { address: number; length: number }[] {
  const structs = addresses.filter(
    (address) => (image.u8(address + TYPE_LAYOUT.kind) & KIND_MASK) === KIND.struct,
  );
  return structs
    .map((address) => ({
      address: image.u64(address + KIND_LAYOUT.struct.fields),
      length: image.u64(address + KIND_LAYOUT.struct.fieldCount) * KIND_LAYOUT.field.size,
    }))
    .filter(({ length }) => length > 0);
}

/** Where the inline trees of the first functions are; undefined when none of them has one. */
export function inlineTrees(
  { table, gofunc }: WholeProgram,
  functions: number,
  tree: number,
): { start: number; end: number } | undefined {
  const starts: number[] = [];
  for (let i = 0; i < functions; i++) {
    const start = table.funcdata(i, tree, gofunc);
    if (start !== undefined) {
      starts.push(start);
    }
  }
  return starts.length === 0 ? undefined : { start: Math.min(...starts), end: Math.max(...starts) + 256 };
}
