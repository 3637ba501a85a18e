import type { GoBinary, ReadMemory } from './binary.ts';
import { BinaryError } from './error.ts';
import { type ElfFile, readElf, SECTION_TYPE, sectionNamed } from './file/elf.ts';
import { type FileBytes, OpenFile, withFile } from './file/file.ts';
import { Image, type Segment } from './file/image.ts';
import { goBuildId } from './file/notes.ts';
import { applyRelocations, symbolWords } from './file/relocations.ts';
import { type ElfSymbol, SymbolTable } from './file/symbols.ts';
import { parametersOf } from './functions/arguments.ts';
import { type Frame, framesAt, inlinedInto } from './functions/frames.ts';
import { FunctionTable, type GoFunction } from './functions/pclntab.ts';
import { type BuildInfo, findBuildInfo, readBuildInfo } from './go/build-info.ts';
import { type GoLayout, layoutFor } from './go/layouts.ts';
import { findModule, type ModuleRest, type ModuleStart, readModuleRest } from './go/module-data.ts';
import { type GoVersion, goVersion } from './go/version.ts';
import type { MapType } from './types/map-type.ts';
import { findMapTypes, mapTypeAt } from './types/map-types.ts';

/** Everything `openGoBinary` found, before it becomes an object with methods. */
interface Parts {
  path: string;
  name: string;
  version: GoVersion;
  layout: GoLayout;
  buildInfo: BuildInfo | undefined;
  buildId: string | undefined;
  pie: boolean;
  image: Image;
  module: ModuleStart;
  rest: ModuleRest;
  table: FunctionTable;
  symbols: SymbolTable | undefined;
  dynamicSymbols: SymbolTable | undefined;
  elf: ElfFile;
}

class OpenedBinary implements GoBinary {
  readonly path: string;
  readonly name: string;
  readonly version: GoVersion;
  readonly mapImplementation: 'classic' | 'swiss';
  readonly stripped: boolean;
  readonly pie: boolean;
  readonly buildId: string | undefined;
  readonly modulePath: string | undefined;
  readonly moduleVersion: string | undefined;
  readonly buildSettings: ReadonlyMap<string, string>;
  readonly image: Image;
  readonly types: { readonly start: number; readonly end: number };
  readonly #parts: Parts;
  #mapTypes: readonly MapType[] | undefined;

  constructor(parts: Parts) {
    this.path = parts.path;
    this.name = parts.name;
    this.version = parts.version;
    this.mapImplementation = mapImplementation(parts);
    this.stripped = parts.symbols === undefined;
    this.pie = parts.pie;
    this.buildId = parts.buildId;
    this.modulePath = parts.buildInfo?.modulePath;
    this.moduleVersion = parts.buildInfo?.moduleVersion;
    this.buildSettings = parts.buildInfo?.settings ?? new Map();
    this.image = parts.image;
    this.types = { start: parts.rest.types, end: parts.rest.etypes };
    this.#parts = parts;
  }

  fileOffset(address: number): number | undefined {
    return this.image.fileOffset(address);
  }

  segments(): readonly Segment[] {
    return this.image.segments;
  }

  #indexOf(pc: number): number | undefined {
    return this.#parts.table.indexOf(pc);
  }

  functionAt(pc: number): GoFunction | undefined {
    const index = this.#indexOf(pc);
    const found = index === undefined ? undefined : this.#parts.table.at(index);
    return found !== undefined && pc < found.end ? found : undefined;
  }

  functionsNamed(name: string): readonly GoFunction[] {
    return this.#parts.table.named(name);
  }

  functions(): Generator<GoFunction> {
    return this.#parts.table.all();
  }

  code(fn: GoFunction): Uint8Array {
    return this.image.read(fn.entry, fn.end - fn.entry);
  }

  spDelta(pc: number): number | undefined {
    const index = this.#indexOf(pc);
    return index === undefined ? undefined : this.#parts.table.spDelta(index, pc);
  }

  frames(pc: number): readonly Frame[] {
    const index = this.#indexOf(pc);
    const { image, table, module, rest } = this.#parts;
    return index === undefined ? [] : framesAt(image, table, module.layout, rest.gofunc, index, pc);
  }

  parametersOf(fn: GoFunction): readonly (readonly number[])[] | undefined {
    const { image, table, rest } = this.#parts;
    return parametersOf(image, table, rest.gofunc, fn.index);
  }

  inlined(names: ReadonlySet<string>): ReadonlyMap<string, GoFunction> {
    const { image, table, module, rest } = this.#parts;
    const found = new Map<string, GoFunction>();
    for (let index = 0; index < table.count; index++) {
      for (const name of inlinedInto(image, table, module.layout, rest.gofunc, index)) {
        if (names.has(name) && !found.has(name)) {
          found.set(name, table.at(index));
        }
      }
    }
    return found;
  }

  symbol(name: string): ElfSymbol | undefined {
    return this.#parts.symbols?.find(name) ?? this.#parts.dynamicSymbols?.find(name);
  }

  symbolWords(): ReadonlyMap<number, number> {
    return symbolWords(this.image, this.#parts.elf, this.name);
  }

  mapTypes(): readonly MapType[] {
    this.#mapTypes ??= findMapTypes(this);
    return this.#mapTypes;
  }

  mapTypeAt(address: number, read?: ReadMemory, bias = 0): MapType | undefined {
    return mapTypeAt(this, address, read, bias);
  }

  forget(): void {
    this.#mapTypes = undefined;
    this.#parts.table.forget();
    this.image.forget();
  }
}

/** Go 1.24 and 1.25 have both implementations; GOEXPERIMENT=noswissmap at build time chooses the classic one. */
function mapImplementation({ layout, buildInfo, version, table }: Parts): 'classic' | 'swiss' {
  if (layout.swissMap === undefined) {
    return 'classic';
  }
  if (layout.classicMap === undefined) {
    return 'swiss';
  }
  const experiments = `${version.text} ${buildInfo?.settings.get('GOEXPERIMENT') ?? ''}`;
  return experiments.includes('noswissmap') || table.mentions('runtime.hashGrow') ? 'classic' : 'swiss';
}

export interface OpenOptions {
  /** Read programs of a Go newer than any known with the layouts of the newest. They may be wrong: verify what comes of it. */
  readonly allowUnknown?: boolean;
  /** What messages call the file; its path by default. */
  readonly name?: string;
}

/**
 * Opens a Go executable: reads its headers and finds the Go tables in its loadable segments (debug information is not
 * read). The file remains open and is read when more of it is asked for. Throws BinaryError.
 */
export function openGoBinary(path: string, options: OpenOptions = {}): GoBinary {
  const file = new OpenFile(path, options.name);
  try {
    return readGoBinary(file, options);
  } catch (error) {
    file.close();
    throw error;
  }
}

/**
 * Whether a file says in its headers that Go has linked it. Much less is read than to open it: a process of another language can
 * have hundreds of libraries. Not every Go program says so, but those that go build makes do.
 */
export function mayBeGoBinary(path: string): boolean {
  try {
    return withFile(path, (file) => {
      const elf = readElf(file);
      return (
        goBuildId(Image.load(file, elf), elf) !== undefined ||
        FUNCTION_TABLE_SECTIONS.some((name) => sectionNamed(elf, name) !== undefined)
      );
    });
  } catch (error) {
    if (error instanceof BinaryError) {
      return false;
    }
    throw error;
  }
}

/**
 * What a Go program says of its build, from the section made for that; undefined when it is no Go program, or has no such section.
 * Reads a few pages of the file, whatever its size.
 */
export function buildInfoOf(path: string): BuildInfo | undefined {
  try {
    return withFile(path, (file) => {
      const elf = readElf(file);
      const address = sectionNamed(elf, '.go.buildinfo')?.address;
      return address === undefined ? undefined : readBuildInfo(Image.load(file, elf), address);
    });
  } catch (error) {
    if (error instanceof BinaryError) {
      return undefined;
    }
    throw error;
  }
}

const FUNCTION_TABLE_SECTIONS = ['.gopclntab', '.data.rel.ro.gopclntab'];

/** What openGoBinary() does, for the bytes of a file. */
export function readGoBinary(file: FileBytes, { allowUnknown = false }: OpenOptions = {}): GoBinary {
  const { name } = file;
  const elf = readElf(file);
  const image = Image.load(file, elf);
  applyRelocations(image, elf, name);
  const sectionAddress = (...names: string[]): number | undefined =>
    names.map((name) => sectionNamed(elf, name)?.address).find((address) => address !== undefined);
  const module = findModule(image, name, {
    pclntab: sectionAddress(...FUNCTION_TABLE_SECTIONS),
    moduledata: sectionAddress('.go.module'),
  });
  const table = new FunctionTable(module, name);
  const buildInfo = findBuildInfo(image, sectionAddress('.go.buildinfo'));
  const moduleSize = sectionNamed(elf, '.go.module')?.size;
  const version = goVersion(name, image, module, table, buildInfo, moduleSize, allowUnknown);
  const layout = layoutOf(version);
  return new OpenedBinary({
    path: file.path,
    name,
    version,
    layout,
    buildInfo,
    buildId: goBuildId(image, elf),
    pie: elf.pie,
    image,
    module,
    rest: readModuleRest(image, module, layout, name),
    table,
    symbols: SymbolTable.of(file, elf, SECTION_TYPE.symtab),
    dynamicSymbols: SymbolTable.of(file, elf, SECTION_TYPE.dynsym),
    elf,
  });
}

/** goVersion admits only versions that have one. */
function layoutOf(version: GoVersion): GoLayout {
  const layout = layoutFor(version.minor);
  if (layout === undefined) {
    throw new TypeError(`No layout for Go 1.${version.minor}`);
  }
  return layout;
}
