import { BinaryError, hex } from '../error.ts';
import { occurrences, type Table } from '../file/reader.ts';
import type { ModuleStart } from '../go/module-data.ts';
import { pcValue, pcValueEnd, pcValues } from './pc-values.ts';

/** A function as the runtime knows it. Several may have the same name (ABI wrappers, instances of a generic function). */
export interface GoFunction {
  readonly name: string;
  readonly entry: number;
  /** First address after its code, padding not counted. */
  readonly end: number;
  /** Position in the function table, in address order. */
  readonly index: number;
}

/** Names of closures in generic functions are long; none comes near this. */
const MAX_NAME_BYTES = 0x4000;
/** Functions share names, but the names of all functions together are not much longer than the table of names. */
const MAX_SHARING = 8;
/** Places in the table of names where a name is tried. The linker writes each name once. */
const MAX_SAME_NAMES = 1024;
const MAX_PATH_BYTES = 0x1000;
const DROPPED_FILE = 0xffff_ffff;

/**
 * The function table: functions in address order, their records, and their pc-value tables.
 * Records are read when asked for; nothing is kept per function except, after the first look-up by name and until asked to
 * forget, 4 bytes, the names, and what was found.
 * Source of the layout: layouts.ts, by magic number.
 */
export class FunctionTable {
  readonly count: number;
  readonly #module: ModuleStart;
  readonly #functab: Table;
  readonly #funcs: Table;
  readonly #names: Table;
  readonly #files: Table;
  readonly #units: Table;
  readonly #absolute: boolean;
  /** All names and the offsets of the functions' own ones, while functions are looked up by name. */
  #nameBytes: Uint8Array | undefined;
  #nameOffsets: Int32Array | undefined;
  readonly #found = new Map<string, readonly GoFunction[]>();

  constructor(module: ModuleStart, path: string) {
    this.count = module.functionCount;
    this.#module = module;
    this.#functab = module.functab;
    this.#funcs = module.pclntable;
    this.#names = module.funcnametab;
    this.#files = module.filetab;
    this.#units = module.cutab;
    this.#absolute = module.layout.functabField === 8;
    this.#checkOrder(path);
  }

  /** Entries must ascend within the text, or neither binary search nor the bound on table walks holds. */
  #checkOrder(path: string): void {
    let last = this.#module.text;
    for (let i = 0; i <= this.count; i++) {
      const entry = this.entry(i);
      if (entry < last || entry > this.#module.etext) {
        throw new BinaryError(
          'malformed',
          `${path} has a function table that is out of order at ${hex(entry)}.`,
        );
      }
      last = entry;
    }
  }

  /** Start address of function `index`; for `count`, the end of the last function. */
  entry(index: number): number {
    return this.#absolute ? this.#functab.u64(index * 16) : this.#module.text + this.#functab.u32(index * 8);
  }

  #record(index: number): number {
    return this.#absolute ? this.#functab.u64(index * 16 + 8) : this.#functab.u32(index * 8 + 4);
  }

  #field(index: number, offset: number): number {
    return this.#funcs.u32(this.#record(index) + offset);
  }

  /** A name by its offset in the name table. */
  nameAt(offset: number): string {
    return this.#names.cstring(offset, MAX_NAME_BYTES);
  }

  name(index: number): string {
    return this.nameAt(this.#field(index, this.#module.layout.func.name));
  }

  at(index: number): GoFunction {
    const entry = this.entry(index);
    const pcsp = this.#field(index, this.#module.layout.func.pcsp);
    const end = pcValueEnd(this.#module.pctab, pcsp, entry, this.entry(index + 1));
    return { name: this.name(index), entry, end, index };
  }

  /** Every function, in address order. Throws where a name cannot be read, or when their names cannot be those of a program. */
  *all(): Generator<GoFunction> {
    let left = MAX_SHARING * (this.#names.length + MAX_NAME_BYTES);
    for (let index = 0; index < this.count; index++) {
      const found = this.at(index);
      left -= found.name.length;
      if (left < 0) {
        throw new BinaryError('malformed', 'The functions share too many long names.');
      }
      yield found;
    }
  }

  /** The index of the function whose code, or the padding behind it, holds `pc`. */
  indexOf(pc: number): number | undefined {
    if (!(pc >= this.entry(0) && pc < this.entry(this.count))) {
      return undefined;
    }
    let low = 0;
    let high = this.count;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.entry(middle) <= pc) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** Every function with exactly this name. The first call reads the name offset of each function once. */
  named(name: string): readonly GoFunction[] {
    const known = this.#found.get(name);
    if (known !== undefined) {
      return known;
    }
    const found = this.#search(name);
    this.#found.set(name, found);
    return found;
  }

  #search(name: string): GoFunction[] {
    const wanted = new Set<number>();
    const names = this.#allNames();
    for (const at of occurrences(names, Buffer.from(`${name}\0`))) {
      if (at === 0 || names[at - 1] === 0) {
        wanted.add(at);
      }
      if (wanted.size === MAX_SAME_NAMES) {
        break;
      }
    }
    if (wanted.size === 0) {
      return [];
    }
    this.#nameOffsets ??= this.#readNameOffsets();
    const found: GoFunction[] = [];
    this.#nameOffsets.forEach((offset, index) => {
      if (wanted.has(offset)) {
        found.push(this.at(index));
      }
    });
    return found;
  }

  #allNames(): Uint8Array {
    this.#nameBytes ??= this.#names.slice(0, this.#names.length);
    return this.#nameBytes;
  }

  #readNameOffsets(): Int32Array {
    const offsets = new Int32Array(this.count);
    for (let i = 0; i < this.count; i++) {
      offsets[i] = this.#field(i, this.#module.layout.func.name);
    }
    return offsets;
  }

  /** Whether a function of this name is linked in, or was inlined somewhere: its name is in the name table. */
  mentions(name: string): boolean {
    return occurrences(this.#allNames(), Buffer.from(`\0${name}\0`)).next().done === false;
  }

  /** Gives back what was read for look-ups by name. */
  forget(): void {
    this.#nameBytes = undefined;
    this.#nameOffsets = undefined;
    this.#found.clear();
  }

  /** Bytes between SP and the return address at `pc`. */
  spDelta(index: number, pc: number): number | undefined {
    return this.#value(index, this.#module.layout.func.pcsp, pc);
  }

  line(index: number, pc: number): number {
    return this.#value(index, this.#module.layout.func.pcln, pc) ?? 0;
  }

  /** Source file at `pc`, as the compiler recorded it (absolute, or module-relative with -trimpath); '?' when not recorded. */
  file(index: number, pc: number): string {
    const number = this.#value(index, this.#module.layout.func.pcfile, pc);
    if (number === undefined || number < 0) {
      return '?';
    }
    const unit = this.#field(index, this.#module.layout.func.cuOffset);
    const offset = this.#units.u32((unit + number) * 4);
    return offset === DROPPED_FILE ? '?' : this.#files.cstring(offset, MAX_PATH_BYTES);
  }

  /** The value of pc-data table `table` at `pc`. */
  pcdata(index: number, table: number, pc: number): number | undefined {
    const { func } = this.#module.layout;
    if (table >= this.#field(index, func.npcdata)) {
      return undefined;
    }
    return this.#value(index, func.size + table * 4, pc);
  }

  /** Every value of pc-data table `table` in a function. */
  pcdataValues(index: number, table: number): Set<number> {
    const { func } = this.#module.layout;
    if (table >= this.#field(index, func.npcdata)) {
      return new Set();
    }
    const offset = this.#field(index, func.size + table * 4);
    return pcValues(this.#module.pctab, offset, this.entry(index), this.entry(index + 1));
  }

  /** Address of funcdata `table` of a function; `gofunc` is moduledata.gofunc (Go 1.18 and newer). */
  funcdata(index: number, table: number, gofunc: number | undefined): number | undefined {
    const { func } = this.#module.layout;
    const record = this.#record(index);
    if (table >= this.#funcs.u8(record + func.nfuncdata)) {
      return undefined;
    }
    const start = record + func.size + this.#field(index, func.npcdata) * 4;
    if (func.funcdata === 'addresses') {
      const aligned = start + (-(this.#recordsAddress() + start) & 7);
      return this.#funcs.u64(aligned + table * 8) || undefined;
    }
    const offset = this.#funcs.u32(start + table * 4);
    return offset === 0xffff_ffff || gofunc === undefined ? undefined : gofunc + offset;
  }

  /** Alignment of funcdata addresses is of the address, not of the offset in the table; only the low bits matter. */
  #recordsAddress(): number {
    return this.#module.pclntableAddress & 7;
  }

  #value(index: number, field: number, pc: number): number | undefined {
    return pcValue(this.#module.pctab, this.#field(index, field), this.entry(index), pc);
  }
}
