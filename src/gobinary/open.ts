import { parametersOf } from './arguments.ts';
import { type BuildInfo, findBuildInfo } from './buildinfo.ts';
import { readElf, sectionNamed } from './elf.ts';
import { type FileBytes, OpenFile } from './file.ts';
import type { GoBinary } from './gobinary.ts';
import { Image, type Segment } from './image.ts';
import { type GoLayout, layoutFor } from './layouts.ts';
import { findMapTypes, type MapType, mapTypeAt } from './maptypes.ts';
import { findModule, type ModuleRest, type ModuleStart, readModuleRest } from './moduledata.ts';
import { goBuildId } from './notes.ts';
import { FunctionTable, type GoFunction } from './pclntab.ts';
import { applyRelocations } from './relocations.ts';
import { type Frame, framesAt, inlinedInto } from './symbolize.ts';
import { type ElfSymbol, SymbolTable } from './symtab.ts';
import type { ReadMemory } from './types.ts';
import { type GoVersion, goVersion } from './version.ts';

/** Everything `openGoBinary` found, before it becomes an object with methods. */
interface Parts {
  path: string;
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
}

class OpenedBinary implements GoBinary {
  readonly path: string;
  readonly version: GoVersion;
  readonly mapImplementation: 'classic' | 'swiss';
  readonly stripped: boolean;
  readonly pie: boolean;
  readonly buildId: string | undefined;
  readonly modulePath: string | undefined;
  readonly image: Image;
  readonly types: { readonly start: number; readonly end: number };
  readonly #parts: Parts;
  #mapTypes: readonly MapType[] | undefined;

  constructor(parts: Parts) {
    this.path = parts.path;
    this.version = parts.version;
    this.mapImplementation = mapImplementation(parts);
    this.stripped = parts.symbols === undefined;
    this.pie = parts.pie;
    this.buildId = parts.buildId;
    this.modulePath = parts.buildInfo?.modulePath;
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
      for (const name of inlinedInto(image, table, module.layout, rest.gofunc, index))
        if (names.has(name) && !found.has(name)) found.set(name, table.at(index));
    }
    return found;
  }

  symbol(name: string): ElfSymbol | undefined {
    return this.#parts.symbols?.find(name);
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
  if (layout.swissMap === undefined) return 'classic';
  if (layout.classicMap === undefined) return 'swiss';
  const experiments = `${version.text} ${buildInfo?.settings.get('GOEXPERIMENT') ?? ''}`;
  return experiments.includes('noswissmap') || table.mentions('runtime.hashGrow') ? 'classic' : 'swiss';
}

export interface OpenOptions {
  /** Read programs of a Go newer than any known with the layouts of the newest. They may be wrong: verify what comes of it. */
  readonly allowUnknown?: boolean;
}

/**
 * Opens a Go executable: reads its headers and finds the Go tables in its loadable segments (debug information is not
 * read). The file remains open and is read when more of it is asked for. Throws BinaryError.
 */
export function openGoBinary(path: string, options: OpenOptions = {}): GoBinary {
  const file = new OpenFile(path);
  try {
    return readGoBinary(file, options);
  } catch (error) {
    file.close();
    throw error;
  }
}

/** The same for the bytes of a file. */
export function readGoBinary(file: FileBytes, { allowUnknown = false }: OpenOptions = {}): GoBinary {
  const { path } = file;
  const elf = readElf(file);
  const image = Image.load(file, elf);
  applyRelocations(image, elf, path);
  const sectionAddress = (...names: string[]): number | undefined =>
    names.map((name) => sectionNamed(elf, name)?.address).find((address) => address !== undefined);
  const module = findModule(image, path, {
    pclntab: sectionAddress('.gopclntab', '.data.rel.ro.gopclntab'),
    moduledata: sectionAddress('.go.module'),
  });
  const table = new FunctionTable(module, path);
  const buildInfo = findBuildInfo(image, sectionAddress('.go.buildinfo'));
  const moduleSize = sectionNamed(elf, '.go.module')?.size;
  const version = goVersion(path, image, module, table, buildInfo, moduleSize, allowUnknown);
  const layout = layoutOf(version);
  return new OpenedBinary({
    path,
    version,
    layout,
    buildInfo,
    buildId: goBuildId(image, elf),
    pie: elf.pie,
    image,
    module,
    rest: readModuleRest(image, module, layout, path),
    table,
    symbols: SymbolTable.of(file, elf),
  });
}

/** goVersion admits only versions that have one. */
function layoutOf(version: GoVersion): GoLayout {
  const layout = layoutFor(version.minor);
  if (layout === undefined) throw new TypeError(`No layout for Go 1.${version.minor}`);
  return layout;
}
