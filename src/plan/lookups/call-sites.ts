import type { Frame, GoBinary, GoFunction } from '../../gobinary/index.ts';
import { callsIn } from '../code/disassemble.ts';
import { lookupFunctions } from './lookup-functions.ts';

/** A place in the binary that calls a lookup function. */
export interface MapCallSite {
  /** Link-time return address: what identifies the call in an observation. */
  readonly returnAddress: number;
  /** The lookup function, without its package. */
  readonly variant: string;
  /** The source line and, if it was inlined, the functions it was inlined into; innermost first. */
  readonly frames: readonly Frame[];
}

const CALL_REL32 = 0xe8;

/** Every call of a lookup function in the binary, in address order. Functions without one are not disassembled. */
export function* mapCallSites(binary: GoBinary): Generator<MapCallSite> {
  const variants = new Map(
    lookupFunctions(binary).map((fn) => [fn.entry, fn.name.replace(/^runtime\./, '')]),
  );
  for (const fn of binary.functions()) {
    if (!mayCall(binary.code(fn), fn, variants)) {
      continue;
    }
    for (const { returnAddress, target } of callsIn(binary.code(fn), fn.entry)) {
      const variant = variants.get(target);
      if (variant !== undefined) {
        yield { returnAddress, variant, frames: binary.frames(returnAddress - 1) };
      }
    }
  }
}

/** Whether some byte of the code, were it the start of a call instruction, would call one of the targets. */
function mayCall(code: Uint8Array, fn: GoFunction, targets: ReadonlyMap<number, unknown>): boolean {
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  for (
    let at = code.indexOf(CALL_REL32);
    at >= 0 && at + 5 <= code.length;
    at = code.indexOf(CALL_REL32, at + 1)
  ) {
    if (targets.has(fn.entry + at + 5 + view.getInt32(at + 1, true))) {
      return true;
    }
  }
  return false;
}
