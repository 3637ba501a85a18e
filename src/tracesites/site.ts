import type { GoBinary, GoFunction } from '../gobinary/index.ts';
import { UnprovenError } from '../probesites/disassemble.ts';
import { type PlacedInstruction, planEntrySite } from '../probesites/entrysite.ts';

/** What a site tells; the sources' own files say when each is hit. */
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

/** One breakpoint that follows span contexts. Its instruction is one that the kernel emulates. */
export interface TraceSite extends PlacedInstruction {
  /** The function whose code it is in. */
  readonly function: string;
  readonly event: TraceEvent;
  /** Which register holds what when the site is hit: numbers as in probesites/registers.ts. */
  readonly registers: Readonly<Partial<Record<TraceValue, number>>>;
  /** One event may hit it more than once, in a row and with the same registers: see EntrySite. */
  readonly repeats: boolean;
}

/** The source cannot be followed in this binary; the message says why, as a sentence without its full stop. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/** The only function of a name; undefined when the program has none. */
export function functionNamed(binary: GoBinary, name: string): GoFunction | undefined {
  const [found, another] = binary.functionsNamed(name);
  if (another !== undefined) throw new RefusedError(`it has more than one function ${name}`);
  return found;
}

/** A function that the source cannot do without. */
export function requiredFunction(binary: GoBinary, name: string): GoFunction {
  const found = functionNamed(binary, name);
  if (found === undefined) throw new RefusedError(`it has no function ${name}`);
  return found;
}

/** A site that each call of a function hits, with its arguments in these registers. */
export function entrySite(
  binary: GoBinary,
  fn: GoFunction,
  event: TraceEvent,
  registers: TraceSite['registers'],
): TraceSite {
  const site = proven(() => planEntrySite(binary, fn, Object.values(registers)));
  return { ...site, function: fn.name, event, registers };
}

/** What a proof gives; a failed one refuses the source. */
export function proven<T>(prove: () => T): T {
  try {
    return prove();
  } catch (error) {
    if (error instanceof UnprovenError) throw new RefusedError(error.message, { cause: error });
    throw error;
  }
}
