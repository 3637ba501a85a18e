import type { GoBinary, GoFunction } from '../../gobinary/index.ts';
import { UnprovenError } from '../code/disassemble.ts';
import { type PlacedInstruction, planEntrySite } from '../code/entry-site.ts';
import { GO_ARGUMENTS } from '../code/registers.ts';

/** What a site reports; the sources' own files say when each is hit. */
export type TraceEvent =
  | 'spanStart'
  | 'spanEnd'
  | 'goroutineStart'
  | 'httpRequest'
  | 'httpDone'
  | 'grpcHeaders'
  | 'grpcRequest'
  | 'grpcDone';

/** What a register holds at a site; the sources' own files say what each is. */
export type TraceValue = 'span' | 'goroutine' | 'request' | 'transport' | 'frame' | 'stream';

/** Parameters as GoBinary.parametersOf has them. */
export const POINTER: readonly number[] = [8];
export const INTERFACE: readonly number[] = [8, 8];
export const SLICE: readonly number[] = [8, 8, 8];

/** One breakpoint that follows span contexts. Its instruction is one that the kernel emulates. */
export interface TraceSite extends PlacedInstruction {
  /** The function whose code it is in. */
  readonly function: string;
  readonly event: TraceEvent;
  /** Which register holds what when the site is hit: numbers as in plan/code/registers.ts. */
  readonly registers: Readonly<Partial<Record<TraceValue, number>>>;
  /** One event may hit it more than once, in a row and with the same registers: see EntrySite. */
  readonly repeats: boolean;
}

/** The source cannot be followed in this binary; the message says why, as a sentence without its full stop. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/** The parameters of a function, receiver first, and which of them, by number, are which values. The last word of each counts. */
export interface Signature {
  readonly parameters: readonly (readonly number[])[];
  readonly values: Readonly<Partial<Record<TraceValue, number>>>;
}

/**
 * Which registers hold the values when a function with one of these signatures is called, by Go's ABIInternal
 * (cmd/compile/abi-internal.md): integers and pointers in order, also those within structures and interfaces.
 */
export function argumentRegisters(
  binary: GoBinary,
  fn: GoFunction,
  signatures: readonly Signature[],
): TraceSite['registers'] {
  const actual = binary.parametersOf(fn);
  if (actual === undefined) {
    throw new RefusedError(`it does not record the parameters of ${fn.name}`);
  }
  const signature = signatures.find(
    ({ parameters }) => JSON.stringify(parameters) === JSON.stringify(actual),
  );
  if (signature === undefined) {
    throw new RefusedError(`${fn.name} has parameters that no known version has`);
  }
  const registers = Object.entries(signature.values).map(([value, number]) => {
    const words = actual.slice(0, number + 1).reduce((sum, { length }) => sum + length, 0);
    const register = GO_ARGUMENTS[words - 1];
    if (register === undefined) {
      throw new RefusedError(`${fn.name} takes its ${value} on the stack`);
    }
    return [value, register];
  });
  return Object.fromEntries(registers);
}

/** A site that each call of a function hits, with its arguments in the registers. */
export function entrySite(
  binary: GoBinary,
  fn: GoFunction,
  event: TraceEvent,
  ...signatures: readonly Signature[]
): TraceSite {
  const registers = argumentRegisters(binary, fn, signatures);
  const site = proven(() => planEntrySite(binary, fn, Object.values(registers)));
  return { ...site, function: fn.name, event, registers };
}

/** What a proof gives; a failed one refuses the source. */
export function proven<T>(prove: () => T): T {
  try {
    return prove();
  } catch (error) {
    if (error instanceof UnprovenError) {
      throw new RefusedError(error.message, { cause: error });
    }
    throw error;
  }
}
