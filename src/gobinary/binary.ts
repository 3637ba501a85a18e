import type { Image, Segment } from './file/image.ts';
import type { ElfSymbol } from './file/symbols.ts';
import type { Frame } from './functions/frames.ts';
import type { GoFunction } from './functions/pclntab.ts';
import type { GoVersion } from './go/version.ts';
import type { MapType } from './types/map-type.ts';

/** Reads `length` bytes at an address of the running process; throws when they cannot be read. */
export type ReadMemory = (address: number, length: number) => Uint8Array;

/**
 * A Go executable for x86-64 Linux. Every address is a link-time address (load bias 0), a plain number below 2^47.
 * A method that has to follow tables of the file throws BinaryError where they lead outside it.
 */
export interface GoBinary {
  /** Opens the file, as it was opened. */
  readonly path: string;
  /** What messages call it. */
  readonly name: string;
  readonly version: GoVersion;
  /** Which of Go's two map implementations is linked in. */
  readonly mapImplementation: 'classic' | 'swiss';
  /** Whether the ELF symbol table was removed. */
  readonly stripped: boolean;
  /** Position independent: addresses in the running process are these plus a load bias. */
  readonly pie: boolean;
  /** As `go tool buildid` prints it. */
  readonly buildId: string | undefined;
  /** The main module, if the program has build information and was built in a module. */
  readonly modulePath: string | undefined;
  /** Its version, as `v1.2.3`; undefined when the build was of no particular one. */
  readonly moduleVersion: string | undefined;
  /** Settings of its build, such as GOEXPERIMENT or -race; empty when it does not say. */
  readonly buildSettings: ReadonlyMap<string, string>;
  readonly image: Image;
  /** The range that holds the type descriptors the linker wrote; `end` is exclusive. */
  readonly types: { readonly start: number; readonly end: number };
  /** Where the byte at an address in an executable segment is in the file. */
  fileOffset(address: number): number | undefined;
  segments(): readonly Segment[];
  /** The function whose code holds `pc`; padding between functions belongs to none. */
  functionAt(pc: number): GoFunction | undefined;
  /** All functions of exactly this name, in address order: ABI wrappers and generic instances share one. */
  functionsNamed(name: string): readonly GoFunction[];
  functions(): Iterable<GoFunction>;
  /** The machine code of a function (a view: do not write to it). */
  code(fn: GoFunction): Uint8Array;
  /** Bytes between SP and the return address at `pc`, an instruction start; undefined where Go recorded none. */
  spDelta(pc: number): number | undefined;
  /**
   * Source frames at `pc`, innermost first, inlining undone; the last is the physical function. Empty outside Go code. For a call site pass
   * the return address minus 1.
   */
  frames(pc: number): readonly Frame[];
  /**
   * The parameters of a function, receiver first: for each the sizes in bytes of the values it consists of, so that an
   * interface is [8, 8]. Undefined where the compiler recorded none or not all.
   */
  parametersOf(fn: GoFunction): readonly (readonly number[])[] | undefined;
  /**
   * Which of these functions have code inlined into others, by the inline trees of all functions: for each that has, the
   * first function it is in. (A call through an interface that the compiler made direct, by a profile, may be inlined.)
   */
  inlined(names: ReadonlySet<string>): ReadonlyMap<string, GoFunction>;
  /** A symbol of the ELF symbol tables, as far as the file still has them. */
  symbol(name: string): ElfSymbol | undefined;
  /**
   * What a process may take from another file instead, because it has a symbol of the same name: the address here, to that of a word
   * which the dynamic loader sets to the address it has chosen. Plugins have such symbols, for what they share with the
   * program. Worked out anew at each call.
   */
  symbolWords(): ReadonlyMap<number, number>;
  /** Every map type the program was linked with, in address order. Found on the first call. */
  mapTypes(): readonly MapType[];
  /**
   * The map type at an address, undefined if there is none. To find types made at run time too, pass live addresses, a
   * function that reads the process, and its load bias (0 unless `pie`); see MapType for what the result holds.
   */
  mapTypeAt(address: number, read?: ReadMemory, bias?: number): MapType | undefined;
  /**
   * Gives back the memory that what was read of the file takes, and from now on keeps little of it. Everything can still be
   * asked for; it is read again.
   */
  forget(): void;
}
