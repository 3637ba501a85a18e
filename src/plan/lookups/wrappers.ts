import type { GoBinary, GoFunction } from '../../gobinary/index.ts';
import { codeOf } from '../code/code-of.ts';
import { UnprovenError } from '../code/disassemble.ts';
import { lookupFunctions } from './lookup-functions.ts';

/**
 * Functions that do a lookup on behalf of their caller. Other functions of package reflect that call a lookup function look
 * into maps of their own.
 */
const INNERMOST = /^runtime\.(mapaccess|mapiter|mapIter)\w*$|^reflect\.map(access|iter)\w*$/;

/** Functions that may stand between those and the user's line. */
const WRAPPER = /^reflect\./;

/** Frames skipped at most; the BPF program walks no further (MAX_WRAPPERS in bpf/gomap/caller.bpf.h). */
const MOST_FRAMES = 8;

const CALL_REL32 = 0xe8;

/**
 * Finds the return addresses at which a wrapper waits for a lookup: the runtime's own lookup functions that call another
 * one, map iteration, and whatever in package reflect calls those, up to eight frames.
 *
 * The code is searched for calls byte by byte. A byte that only looks like a call does no harm: its "return address" is
 * never on a stack.
 *
 * @returns for each return address the bytes from SP after that return to the wrapper's own return address
 */
export function wrapperFrames(binary: GoBinary): Map<number, number> {
  const frames = new Map<number, number>();
  const callers = new Map<GoFunction, Calls>();
  for (const fn of binary.functions()) {
    if (WRAPPER.test(fn.name) || INNERMOST.test(fn.name)) {
      callers.set(fn, findCalls(binary, fn));
    }
  }
  const lookups = new Set(lookupFunctions(binary).map((fn) => fn.entry));
  let targets = lookups;
  for (let depth = 0; depth < MOST_FRAMES && targets.size > 0; depth++) {
    const next = new Set<number>();
    for (const [fn, calls] of callers) {
      for (const [returnAddress, target] of calls) {
        if (!targets.has(target) || frames.has(returnAddress)) {
          continue;
        }
        if (lookups.has(target) && !INNERMOST.test(fn.name)) {
          continue;
        }
        const size = binary.spDelta(returnAddress);
        if (size === undefined) {
          continue;
        }
        frames.set(returnAddress, size);
        next.add(fn.entry);
      }
    }
    targets = next;
  }
  return frames;
}

/** Return address and target of everything that may be a direct call. */
type Calls = readonly (readonly [returnAddress: number, target: number])[];

function findCalls(binary: GoBinary, fn: GoFunction): Calls {
  let code: Uint8Array;
  try {
    code = codeOf(binary, fn);
  } catch (error) {
    if (error instanceof UnprovenError) {
      return [];
    }
    throw error;
  }
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  const calls: [number, number][] = [];
  for (
    let at = code.indexOf(CALL_REL32);
    at >= 0 && at + 5 <= code.length;
    at = code.indexOf(CALL_REL32, at + 1)
  ) {
    const returnAddress = fn.entry + at + 5;
    calls.push([returnAddress, returnAddress + view.getInt32(at + 1, true)]);
  }
  return calls;
}
