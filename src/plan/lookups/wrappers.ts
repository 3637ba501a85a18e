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

const CALL_REL32 = 0xe8;

/**
 * Finds the return addresses at which a wrapper waits for a lookup: the runtime's own lookup functions that call another
 * one, map iteration, and whatever in package reflect calls those, over any number of functions.
 *
 * The code is searched for calls byte by byte. A byte that only looks like a call does no harm: its "return address" is
 * never on a stack.
 *
 * @returns for each return address the bytes from SP after that return to the wrapper's own return address
 */
export function wrapperFrames(binary: GoBinary): Map<number, number> {
  const frames = new Map<number, number>();
  const calls = callsOfWrappers(binary);
  const lookups = new Set(lookupFunctions(binary).map((fn) => fn.entry));
  const targets = new Set(lookups);
  // It grows meanwhile.
  for (const target of targets) {
    for (const { fn, returnAddress } of calls.get(target) ?? []) {
      const size = binary.spDelta(returnAddress);
      if (size === undefined || (lookups.has(target) && !INNERMOST.test(fn.name))) {
        continue;
      }
      frames.set(returnAddress, size);
      targets.add(fn.entry);
    }
  }
  return frames;
}

/** Something that may be a direct call, in a function that may be a wrapper. */
interface Call {
  readonly fn: GoFunction;
  readonly returnAddress: number;
}

/** By the address that is called. */
function callsOfWrappers(binary: GoBinary): Map<number, Call[]> {
  const calls = new Map<number, Call[]>();
  for (const fn of binary.functions()) {
    if (!WRAPPER.test(fn.name) && !INNERMOST.test(fn.name)) {
      continue;
    }
    for (const [returnAddress, target] of findCalls(binary, fn)) {
      const others = calls.get(target);
      if (others === undefined) {
        calls.set(target, [{ fn, returnAddress }]);
      } else {
        others.push({ fn, returnAddress });
      }
    }
  }
  return calls;
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
