import type { GoBinary, GoFunction } from '../../gobinary/index.ts';
import { NO_RETURN } from './analyze.ts';
import { codeOf } from './code-of.ts';
import { disassemble, type Instruction, UnprovenError } from './disassemble.ts';
import { isEmulated } from './emulated.ts';
import { nameAt, type PlacedInstruction, placed } from './entry-site.ts';
import { RAX } from './registers.ts';

/**
 * The only call of `callee` in `fn`, at which the registers hold the arguments of the callee. Proven on the function's
 * control flow: every path from its entry to a return executes the call exactly once.
 *
 * @throws UnprovenError when that is not so
 */
export function planCallSite(binary: GoBinary, fn: GoFunction, callee: GoFunction): PlacedInstruction {
  const call = onlyCall(binary, fn, disassemble(codeOf(binary, fn), fn.entry), callee);
  if (!isEmulated(call)) {
    throw new UnprovenError(`the call of ${callee.name} in ${fn.name} is not emulated`);
  }
  return placed(binary, call);
}

/** A place where a register holds the first word of what a function has returned. */
export interface ResultSite extends PlacedInstruction {
  readonly register: number;
}

/**
 * The first emulated instruction behind the only call of `callee` in `fn` at which its result is known to be in a register. As
 * for a call site, every path through the function executes it exactly once: the code from the call on is straight and nothing
 * else leads into it.
 *
 * @throws UnprovenError when that is not so
 */
export function planResultSite(binary: GoBinary, fn: GoFunction, callee: GoFunction): ResultSite {
  const instructions = disassemble(codeOf(binary, fn), fn.entry);
  const call = onlyCall(binary, fn, instructions, callee);
  const targets = new Set(instructions.map(({ target }) => target));
  const holders = new Set([RAX]);
  for (const instruction of instructions.slice(instructions.indexOf(call) + 1)) {
    if (targets.has(instruction.address)) {
      break;
    }
    const [register] = holders;
    if (register === undefined) {
      break;
    }
    if (isEmulated(instruction)) {
      return { ...placed(binary, instruction), register };
    }
    if (instruction.flow !== 'next') {
      break;
    }
    follow(instruction, holders);
  }
  throw new UnprovenError(
    `${fn.name} has no instruction that the kernel emulates while it has what ${callee.name} returned`,
  );
}

/** Which registers hold the value after an instruction. */
function follow({ mnemonic, operands, writes }: Instruction, holders: Set<number>): void {
  const [to, from] = operands;
  const copies =
    mnemonic === 'mov' &&
    to?.kind === 'register' &&
    to.size === 8 &&
    from?.kind === 'register' &&
    holders.has(from.register);
  for (const register of writes) {
    holders.delete(register);
  }
  if (copies) {
    holders.add(to.register);
  }
}

function onlyCall(
  binary: GoBinary,
  fn: GoFunction,
  instructions: readonly Instruction[],
  callee: GoFunction,
): Instruction {
  const calls = instructions.filter(({ flow, target }) => flow === 'call' && target === callee.entry);
  const [call, another] = calls;
  if (call === undefined || another !== undefined) {
    throw new UnprovenError(`${fn.name} calls ${callee.name} at ${calls.length} places, not at one`);
  }
  if (!crossedOnce(binary, instructions, call)) {
    throw new UnprovenError(`${fn.name} does not always call ${callee.name} once`);
  }
  return call;
}

/** Whether every path from the first instruction to a return executes `site` exactly once. */
function crossedOnce(binary: GoBinary, instructions: readonly Instruction[], site: Instruction): boolean {
  const byAddress = new Map(instructions.map((instruction) => [instruction.address, instruction]));
  const seen = new Set<string>();
  const pending: [Instruction | undefined, boolean][] = [[instructions[0], false]];
  let returns = 0;
  for (let item = pending.pop(); item !== undefined; item = pending.pop()) {
    const [instruction, before] = item;
    if (instruction === undefined || seen.has(`${instruction.address} ${before}`)) {
      continue;
    }
    seen.add(`${instruction.address} ${before}`);
    if (before && instruction === site) {
      return false;
    }
    const crossed = before || instruction === site;
    const { flow, target, address, length } = instruction;
    if (flow === 'return') {
      returns++;
      if (!crossed) {
        return false;
      }
    }
    if (flow === 'jump' || flow === 'branch') {
      pending.push([byAddress.get(target ?? -1), crossed]);
    }
    // Behind a call that does not return often comes the call for more stack, from which the function starts over.
    const ends = flow === 'call' && NO_RETURN.test(nameAt(binary, target));
    if (!ends && flow !== 'jump' && flow !== 'return' && flow !== 'stop') {
      pending.push([byAddress.get(address + length), crossed]);
    }
  }
  return returns > 0;
}
