import type { GoBinary } from '../../gobinary/index.ts';
import { codeOf } from '../code/code-of.ts';
import { disassemble, hex, UnprovenError } from '../code/disassemble.ts';
import type { ProbePlan } from './plan.ts';

/** A return instruction of a lookup function: where its result can be seen. The kernel single-steps it. */
export interface ReturnSite {
  /** Link-time address of the instruction. */
  readonly address: number;
  /** The same as an offset into the executable file. */
  readonly fileOffset: number;
  /** The instruction's bytes, to be compared with what is mapped before anything is attached. */
  readonly bytes: Uint8Array;
  /** The instruction as text, for people. */
  readonly instruction: string;
  /** Index into ProbePlan.functions. */
  readonly functionIndex: number;
}

/**
 * Every return instruction of the lookup functions that have probe sites. Control flow is followed from the entry, as for
 * the probe sites themselves, so none is missed and none is made up. Functions that only call another one have no need
 * of it: that one's returns are here.
 */
export function planReturns(binary: GoBinary, plan: ProbePlan): ReturnSite[] {
  return plan.functions.flatMap(({ entry, outcome }, functionIndex) => {
    const fn = binary.functionAt(entry);
    if (outcome !== 'probed' || fn === undefined) {
      return [];
    }
    return disassemble(codeOf(binary, fn), entry)
      .filter((instruction) => instruction.flow === 'return')
      .map(({ address, bytes, text }) => {
        const fileOffset = binary.fileOffset(address);
        if (fileOffset === undefined) {
          throw new UnprovenError(`${hex(address)} is not in the executable file`);
        }
        return { address, fileOffset, bytes, instruction: text, functionIndex };
      });
  });
}
