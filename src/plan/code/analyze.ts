import type { Callees } from './callees.ts';
import { disassemble, hex, type Instruction, UnprovenError } from './disassemble.ts';
import { apply, type Effect, entryState, type FunctionFacts, slotOffset } from './transfer.ts';
import type { ArgumentName, State } from './values.ts';
import { copyState, joinState } from './values.ts';

/** One instruction with all that is known before it and of it. */
export interface AnalyzedInstruction {
  readonly instruction: Instruction;
  /** What holds on every path, before the instruction. */
  readonly before: State;
  readonly effect: Effect;
  /** Indices of the instructions that may come next; none after a return. */
  readonly next: readonly number[];
  readonly reachable: boolean;
}

const NO_EFFECT: Effect = { readsStorage: false, hashes: false, readsCount: false, callee: undefined };

/** A function's instructions in address order; the first is its entry. */
export type AnalyzedFunction = readonly AnalyzedInstruction[];

/** What the caller knows of the function: everything but the slot liveness, which the analysis works out itself. */
export interface AnalysisInput extends Omit<FunctionFacts, 'liveSlots'> {
  readonly code: Uint8Array;
  readonly entry: number;
}

/*
 * What a lookup function takes at most of each. Of those known to Go 1.27, none takes a tenth: fewer than 400 instructions, 18 slots
 * and 1,500 steps.
 */
const MOST_INSTRUCTIONS = 4000;
const MOST_SLOTS = 256;
const MOST_STEPS = 50_000;
/** Times over all instructions until it is known which slots live; five are enough. */
const MOST_PASSES = 100;

/**
 * Follows the arguments of a lookup function through its machine code, over all paths, to a fixed point.
 *
 * It runs twice: the first pass finds which stack slots each instruction touches, from which follows which slots are
 * still read after each call; the second forgets the others at calls, where the stack may move.
 *
 * @throws UnprovenError when the code is not understood
 */
export function analyze(input: AnalysisInput): AnalyzedFunction {
  const instructions = disassemble(input.code, input.entry).map((instruction) =>
    withoutRetpoline(instruction, input.callees),
  );
  if (instructions.length > MOST_INSTRUCTIONS) {
    throw new UnprovenError(`it has more than ${MOST_INSTRUCTIONS} instructions`);
  }
  const successors = successorsOf(instructions, input.callees);
  const everything: ReadonlySet<number> = { has: () => true } as unknown as ReadonlySet<number>;
  const first = fixedPoint(instructions, successors, { ...input, liveSlots: () => everything });
  const live = liveSlotsAfter(instructions, successors, first);
  const byAddress = new Map(instructions.map((instruction, i) => [instruction.address, i]));
  const facts: FunctionFacts = {
    ...input,
    liveSlots: (address) => live[byAddress.get(address) ?? -1] ?? new Set(),
  };
  const states = fixedPoint(instructions, successors, facts);
  return instructions.map((instruction, i) => {
    // Behind a call that never returns there may be code that nothing reaches.
    const before = states[i];
    if (before === undefined) {
      return { instruction, before: entryState(facts), effect: NO_EFFECT, next: [], reachable: false };
    }
    const effect = apply(instruction, copyState(before), facts);
    return { instruction, before, effect, next: successors[i] ?? [], reachable: true };
  });
}

/** A call through a retpoline as what it stands for: a call through its register. */
function withoutRetpoline(instruction: Instruction, callees: Callees): Instruction {
  const { flow, target, reads } = instruction;
  const register = flow === 'call' && target !== undefined ? callees.throughRegister(target) : undefined;
  if (register === undefined) {
    return instruction;
  }
  const operands = [{ kind: 'register', register, size: 8 }] as const;
  return { ...instruction, flow: 'indirectCall', target: undefined, operands, reads: [...reads, register] };
}

/** Callees that never return: no path goes on behind them. */
export const NO_RETURN =
  /^runtime\.(gopanic|throw|fatalthrow|panic\w*|goPanic\w*)$|^internal\/runtime\/maps\.(panic|throw)\w*$/;

function successorsOf(instructions: readonly Instruction[], callees: Callees): number[][] {
  const index = new Map(instructions.map((instruction, i) => [instruction.address, i]));
  return instructions.map((instruction) => {
    const following = index.get(instruction.address + instruction.length);
    const target =
      instruction.flow === 'jump' || instruction.flow === 'branch'
        ? index.get(instruction.target ?? -1)
        : undefined;
    const callee = instruction.flow === 'call' ? callees.name(instruction.target ?? -1) : undefined;
    const ends = callee !== undefined && NO_RETURN.test(callee);
    const falls =
      !ends && instruction.flow !== 'jump' && instruction.flow !== 'return' && instruction.flow !== 'stop';
    return [falls ? following : undefined, target].filter((i) => i !== undefined);
  });
}

function fixedPoint(
  instructions: readonly Instruction[],
  successors: readonly (readonly number[])[],
  facts: FunctionFacts,
): (State | undefined)[] {
  const states: (State | undefined)[] = instructions.map(() => undefined);
  states[0] = entryState(facts);
  const pending = [0];
  let steps = 0;
  for (let i = pending.pop(); i !== undefined; i = pending.pop()) {
    if (++steps > MOST_STEPS) {
      throw new UnprovenError('its paths are too many to be followed');
    }
    const instruction = instructions[i];
    if (instruction === undefined) {
      continue;
    }
    const after = copyState(stateAt(states, i, instruction));
    apply(instruction, after, facts);
    if (after.slots.size > MOST_SLOTS) {
      throw new UnprovenError(`it uses more than ${MOST_SLOTS} words of its frame`);
    }
    for (const next of successors[i] ?? []) {
      const known = states[next];
      if (known === undefined) {
        states[next] = copyState(after);
      } else if (known.sp !== after.sp) {
        throw new UnprovenError(`two stack depths at ${hex(instruction.address)}`);
      } else if (!joinState(known, after)) {
        continue;
      }
      pending.push(next);
    }
  }
  return states;
}

function stateAt(states: readonly (State | undefined)[], i: number, instruction: Instruction): State {
  const state = states[i];
  if (state === undefined) {
    throw new UnprovenError(`no path leads to ${hex(instruction.address)}`);
  }
  return state;
}

/** For each instruction the stack slots that are read later, before they are written again. */
function liveSlotsAfter(
  instructions: readonly Instruction[],
  successors: readonly (readonly number[])[],
  states: readonly (State | undefined)[],
): ReadonlySet<number>[] {
  const reads = instructions.map((instruction, i) => slotsTouched(instruction, states[i], 'read'));
  const writes = instructions.map((instruction, i) => slotsTouched(instruction, states[i], 'write'));
  // A variable whose address is taken may be read through the pointer; the compiler keeps it live throughout
  // (cmd/compile/internal/liveness). A string's header takes two words.
  const taken = instructions.flatMap((instruction, i) => [
    ...slotsTouched(instruction, states[i], 'address'),
  ]);
  const after: Set<number>[] = instructions.map(() => new Set(taken.flatMap((slot) => [slot, slot + 8])));
  let passes = 0;
  for (let changed = true; changed; ) {
    changed = false;
    if (++passes > MOST_PASSES) {
      throw new UnprovenError('its paths are too many to be followed');
    }
    for (let i = instructions.length - 1; i >= 0; i--) {
      const live = after[i] ?? new Set();
      const size = live.size;
      for (const next of successors[i] ?? []) {
        for (const slot of reads[next] ?? []) {
          live.add(slot);
        }
        for (const slot of after[next] ?? []) {
          if (!writes[next]?.has(slot)) {
            live.add(slot);
          }
        }
      }
      if (live.size !== size) {
        changed = true;
      }
    }
  }
  return after;
}

type SlotAccess = 'read' | 'write' | 'address';

function slotsTouched(instruction: Instruction, state: State | undefined, access: SlotAccess): Set<number> {
  const slots = new Set<number>();
  if (state === undefined) {
    return slots;
  }
  instruction.operands.forEach((operand, i) => {
    if (operand.kind !== 'memory') {
      return;
    }
    const slot = slotOffset(operand.memory, state);
    const kind: SlotAccess =
      instruction.mnemonic === 'lea'
        ? 'address'
        : i === 0 && /^mov/.test(instruction.mnemonic)
          ? 'write'
          : 'read';
    if (slot !== undefined && kind === access) {
      slots.add(slot);
    }
  });
  if (instruction.mnemonic === 'pop' && access === 'read') {
    slots.add(state.sp);
  }
  if (instruction.mnemonic === 'push' && access === 'write') {
    slots.add(state.sp - 8);
  }
  return slots;
}

/** Where a value is at a point of the function, as seen by someone who has the registers and the stack. */
export type Location =
  | { readonly home: 'register'; readonly register: number; readonly addend: number }
  | {
      readonly home: 'stack' /** from the SP at this point */;
      readonly offset: number;
      readonly addend: number;
    };

/** Finds a register or stack slot that holds the value; a register is preferred, since reading it costs nothing. */
export function locate(state: State, wanted: ArgumentName | 'hash' | 'storage'): Location | undefined {
  for (const [register, value] of state.registers.entries()) {
    const addend = addendOf(value, wanted);
    if (addend !== undefined) {
      return { home: 'register', register, addend };
    }
  }
  for (const [slot, value] of state.slots) {
    const addend = addendOf(value, wanted);
    if (addend !== undefined) {
      return { home: 'stack', offset: slot - state.sp, addend };
    }
  }
  return undefined;
}

/** What must be added to `value` to get the wanted one: 0 mostly; undefined when it is something else. */
function addendOf(
  value: State['registers'][number],
  wanted: ArgumentName | 'hash' | 'storage',
): number | undefined {
  if (wanted === 'storage') {
    return value.kind === 'storage' ? (value.addend === 0 ? 0 : -value.addend) : undefined;
  }
  if (wanted === 'hash') {
    return value.kind === 'hash' ? 0 : undefined;
  }
  return value.kind === 'argument' && value.name === wanted ? 0 : undefined;
}
