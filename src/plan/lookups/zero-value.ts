import type { GoBinary, GoFunction } from '../../gobinary/index.ts';
import { type AnalyzedFunction, type AnalyzedInstruction, analyze } from '../code/analyze.ts';
import { calleesOf } from '../code/callees.ts';
import { codeOf } from '../code/code-of.ts';
import { type Instruction, type Operand, UnprovenError } from '../code/disassemble.ts';
import { RAX } from '../code/registers.ts';
import { slotOffset } from '../code/transfer.ts';
import type { ProbePlan } from './plan.ts';

/**
 * The link-time address of runtime.zeroVal, which lookups without a result return the address of.
 *
 * The symbol table has it. Without one the code shows it: a lookup in a nil map finds nothing, so whatever address a lookup
 * function returns on every path that a nil map takes is the one. Undefined when neither is there, or when the functions
 * do not agree with one another or with the symbol.
 */
export function findZeroValue(binary: GoBinary, plan: ProbePlan): number | undefined {
  const symbol = binary.symbol('runtime.zeroVal')?.address;
  const found = new Set(symbol === undefined ? [] : [symbol]);
  for (const { name, entry, outcome } of plan.functions) {
    const fn = binary.functionAt(entry);
    if (outcome !== 'probed' || fn === undefined || !givesZeroValue(name)) {
      continue;
    }
    const result = resultForNilMap(binary, fn);
    if (result !== undefined) {
      found.add(result);
    }
  }
  return found.size === 1 ? [...found][0] : undefined;
}

/** Whether a miss returns runtime.zeroVal: not mapaccessK, which returns nil, nor *_fat, which return what they are given. */
export function givesZeroValue(functionName: string): boolean {
  return !/mapaccessK|_fat$/.test(functionName);
}

/** The address that a lookup function returns for a nil map; undefined when the code does not show it. */
export function resultForNilMap(binary: GoBinary, fn: GoFunction): number | undefined {
  try {
    return new NilMapPaths(
      analyze({
        code: codeOf(binary, fn),
        entry: fn.entry,
        arguments: ['type', 'map'],
        storageOffsets: [],
        key32: false,
        callees: calleesOf(binary),
      }),
    ).result();
  } catch (error) {
    if (error instanceof UnprovenError) {
      return undefined;
    }
    throw error;
  }
}

/** Addresses known on a path: by register (`r0`) or by stack slot (`s-24`, from the SP at entry). */
type Known = ReadonlyMap<string, number>;

interface Step {
  readonly index: number;
  readonly known: Known;
  /** The flags say that the map is nil, which it is. */
  readonly isZero: boolean;
}

/** Paths are few; a function that has more than this many steps on them is not understood. */
const MOST_STEPS = 10_000;

/** Instructions that leave the flags alone. */
const KEEPS_FLAGS = /^(mov|movzx|lea|nop|push|pop|j\w+)$/;

class NilMapPaths {
  readonly #fn: AnalyzedFunction;

  constructor(fn: AnalyzedFunction) {
    this.#fn = fn;
  }

  /** The one address that is in RAX at every return which a nil map may reach. */
  result(): number | undefined {
    const results = new Set<number | undefined>();
    const seen = new Set<string>();
    const pending: Step[] = [{ index: 0, known: new Map(), isZero: false }];
    for (let step = pending.pop(); step !== undefined; step = pending.pop()) {
      const key = `${step.index} ${step.isZero} ${[...step.known].flat().join(' ')}`;
      const node = this.#fn[step.index];
      if (node === undefined || seen.has(key)) {
        continue;
      }
      if (seen.size === MOST_STEPS) {
        return undefined;
      }
      seen.add(key);
      if (node.instruction.flow === 'return') {
        results.add(step.known.get(`r${RAX}`));
      }
      pending.push(...this.#following(node, step));
    }
    return results.size === 1 ? [...results][0] : undefined;
  }

  #following(node: AnalyzedInstruction, step: Step): Step[] {
    const known = knownAfter(node, step.known);
    const isZero = comparesMap(node) || (step.isZero && KEEPS_FLAGS.test(node.instruction.mnemonic));
    return this.#next(node, step.isZero).map((index) => ({ index, known, isZero }));
  }

  /** Where control may go; a branch on whether the map is nil goes one way only. */
  #next({ instruction, next }: AnalyzedInstruction, isZero: boolean): readonly number[] {
    if (!isZero || (instruction.mnemonic !== 'je' && instruction.mnemonic !== 'jne')) {
      return next;
    }
    const taken = instruction.mnemonic === 'je';
    return next.filter((i) => (this.#fn[i]?.instruction.address === instruction.target) === taken);
  }
}

/** Whether the instruction compares the map with zero. */
function comparesMap({ instruction, before }: AnalyzedInstruction): boolean {
  const [a, b] = instruction.operands;
  const isMap = (operand: Operand | undefined): boolean => {
    if (operand?.kind === 'register' && operand.size === 8) {
      return names(before.registers[operand.register]);
    }
    if (operand?.kind !== 'memory' || operand.memory.size !== 8) {
      return false;
    }
    const slot = slotOffset(operand.memory, before);
    return slot !== undefined && names(before.slots.get(slot));
  };
  if (instruction.mnemonic === 'test') {
    return isMap(a) && isMap(b);
  }
  return instruction.mnemonic === 'cmp' && isMap(a) && b?.kind === 'immediate' && b.value === 0;
}

function names(value: AnalyzedInstruction['before']['registers'][number] | undefined): boolean {
  return value?.kind === 'argument' && value.name === 'map';
}

function knownAfter(node: AnalyzedInstruction, before: Known): Known {
  const { instruction } = node;
  // A callee leaves nothing as it was, for all this needs to know.
  if (instruction.flow === 'call' || instruction.flow === 'indirectCall') {
    return new Map();
  }
  const known = new Map(before);
  const [to, from] = instruction.operands;
  const value = constantIn(instruction, from, node, before);
  for (const register of instruction.writes) {
    known.delete(`r${register}`);
  }
  if (to?.kind === 'memory' && !/^(cmp|test|bt|nop)$/.test(instruction.mnemonic)) {
    const slot = slotOffset(to.memory, node.before);
    const size = Math.max(to.memory.size, 1);
    if (slot !== undefined) {
      for (let at = slot - 7; at < slot + size; at++) {
        known.delete(`s${at}`);
      }
    }
  }
  const place = placeOf(to, node);
  if (value !== undefined && place !== undefined) {
    known.set(place, value);
  }
  return known;
}

function constantIn(
  { mnemonic }: Instruction,
  from: Operand | undefined,
  node: AnalyzedInstruction,
  known: Known,
): number | undefined {
  if (mnemonic === 'lea' && from?.kind === 'memory' && from.memory.ripRelative) {
    return from.memory.displacement;
  }
  const place = mnemonic === 'mov' ? placeOf(from, node) : undefined;
  return place === undefined ? undefined : known.get(place);
}

/** The name of a whole register or stack slot. */
function placeOf(operand: Operand | undefined, { before }: AnalyzedInstruction): string | undefined {
  if (operand?.kind === 'register') {
    return operand.size === 8 ? `r${operand.register}` : undefined;
  }
  if (operand?.kind !== 'memory' || operand.memory.size !== 8) {
    return undefined;
  }
  const slot = slotOffset(operand.memory, before);
  return slot === undefined ? undefined : `s${slot}`;
}
