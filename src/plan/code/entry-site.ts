import type { GoBinary, GoFunction } from '../../gobinary/index.ts';
import { codeOf } from './code-of.ts';
import { disassembleStraight, hex, type Instruction, transfersIn, UnprovenError } from './disassemble.ts';
import { isEmulated } from './emulated.ts';

/** An instruction that can carry a probe, by link-time address. */
export interface PlacedInstruction {
  readonly address: number;
  /** The same as an offset into the executable file. */
  readonly fileOffset: number;
  /** The instruction's bytes, to be compared with what is mapped before anything is attached. */
  readonly bytes: Uint8Array;
  /** The instruction as text, for people. */
  readonly instruction: string;
}

/** Where a call of a function can be seen with its arguments in their registers. */
export interface EntrySite extends PlacedInstruction {
  /**
   * One call may execute the instruction more than once: it is part of the check for stack space, and the function starts over,
   * with the same arguments, when its stack has been grown or it was asked to yield.
   */
  readonly repeats: boolean;
}

/** Entries of assembly functions have the suffix where the linker kept both forms of a name apart. */
const MORE_STACK = /^runtime\.morestack(_noctxt)?(\.abi0)?$/;

/** More instructions than a prologue and the code up to the first branch ever have. */
const MOST_STRAIGHT = 64;

/**
 * The first emulated instruction that every call of a function executes, at which the registers still hold what the caller
 * put there (Go's ABIInternal). One that a call executes exactly once is preferred; the stack check's own branch is the
 * fallback.
 *
 * What is proven: the code from the entry to the site is straight but for the branches of the stack check, whose targets
 * do nothing but call runtime.morestack and start over; it writes none of the registers; no other jump of the function
 * leads into it. A jump through a table keeps to the body of the function: it starts from another stack depth than the site has.
 *
 * @param kept numbers of the registers that are needed
 * @throws UnprovenError when there is none, or the code is not understood
 */
export function planEntrySite(binary: GoBinary, fn: GoFunction, kept: readonly number[]): EntrySite {
  const jumps = jumpsInto(binary, fn);
  let afterCheck = false;
  let fallback: Instruction | undefined;
  for (const instruction of prefix(binary, fn)) {
    const { address, flow } = instruction;
    if (address !== fn.entry && jumps.targets.has(address)) {
      break;
    }
    const checksStack = flow === 'branch' && isStackCheck(binary, fn, instruction);
    if (isEmulated(instruction)) {
      // Behind the check only: what comes before it may be executed again.
      if (checksStack || !(afterCheck || !jumps.startsOver)) {
        fallback ??= instruction;
      } else if (mayNotBeReachedByTable(binary, instruction, jumps.indirect)) {
        return { ...placed(binary, instruction), repeats: false };
      }
    }
    if (checksStack) {
      afterCheck = true;
    } else if (flow !== 'next') {
      break;
    }
    if (instruction.writes.some((register) => kept.includes(register))) {
      break;
    }
  }
  if (fallback === undefined) {
    throw new UnprovenError(
      `${fn.name} has no instruction that the kernel emulates before its arguments are gone`,
    );
  }
  return { ...placed(binary, fallback), repeats: true };
}

/** The instructions from the entry on, in a straight line that leaves out what the branches lead to. */
function* prefix(binary: GoBinary, fn: GoFunction): Generator<Instruction> {
  const code = codeOf(binary, fn);
  let at = 0;
  for (let count = 0; count < MOST_STRAIGHT && at < code.length; ) {
    const straight = disassembleStraight(code.subarray(at), fn.entry + at);
    yield* straight;
    const last = straight.at(-1);
    if (last === undefined) {
      return;
    }
    count += straight.length;
    at = last.address + last.length - fn.entry;
  }
}

/** Whether a branch leads to code that only asks for more stack; what it does before is to save the arguments. */
function isStackCheck(binary: GoBinary, fn: GoFunction, { target }: Instruction): boolean {
  if (target === undefined || target <= fn.entry || target >= fn.end) {
    return false;
  }
  const last = disassembleStraight(codeOf(binary, fn).subarray(target - fn.entry), target).at(-1);
  return last?.flow === 'call' && MORE_STACK.test(nameAt(binary, last.target));
}

interface Jumps {
  /** Where the function's jumps and branches lead. */
  readonly targets: ReadonlySet<number>;
  /** Some jump leads to the entry, as it does after a call for more stack. */
  readonly startsOver: boolean;
  /** Addresses of jumps through a table. */
  readonly indirect: readonly number[];
}

function jumpsInto(binary: GoBinary, fn: GoFunction): Jumps {
  const targets = new Set<number>();
  const indirect: number[] = [];
  let startsOver = false;
  let lastCallee = '';
  for (const { address, flow, target } of transfersIn(codeOf(binary, fn), fn.entry)) {
    if (flow === 'call') {
      lastCallee = nameAt(binary, target);
    } else if (target === undefined) {
      indirect.push(address);
    } else {
      targets.add(target);
    }
    if (flow === 'call' || target !== fn.entry) {
      continue;
    }
    startsOver = true;
    if (!MORE_STACK.test(lastCallee)) {
      throw new UnprovenError(`${fn.name} has a loop that starts at its entry`);
    }
  }
  return { targets, startsOver, indirect };
}

function mayNotBeReachedByTable(
  binary: GoBinary,
  { address }: Instruction,
  indirect: readonly number[],
): boolean {
  if (indirect.length === 0) {
    return true;
  }
  const depth = binary.spDelta(address);
  return depth !== undefined && indirect.every((jump) => binary.spDelta(jump) !== depth);
}

/** The name of the function that starts at an address; empty if none does. */
export function nameAt(binary: GoBinary, address: number | undefined): string {
  const fn = address === undefined ? undefined : binary.functionAt(address);
  return fn !== undefined && fn.entry === address ? fn.name : '';
}

export function placed(binary: GoBinary, { address, bytes, text }: Instruction): PlacedInstruction {
  const fileOffset = binary.fileOffset(address);
  if (fileOffset === undefined) {
    throw new UnprovenError(`${hex(address)} is not in the executable file`);
  }
  return { address, fileOffset, bytes, instruction: text };
}
