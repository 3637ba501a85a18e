import type { Callees } from './callees.ts';
import type { Instruction, MemoryOperand, Operand } from './disassemble.ts';
import { hex, UnprovenError } from './disassemble.ts';
import { GENERAL_REGISTERS, GO_ARGUMENTS, RAX, RBP, RDX, RSP } from './registers.ts';
import { type ArgumentName, DERIVED, leadsToStorage, type State, UNKNOWN, type Value } from './values.ts';

/** What the analysis must know of the function and the Go version. */
export interface FunctionFacts {
  /** Names of the arguments in the order of Go's integer argument registers. */
  readonly arguments: readonly ArgumentName[];
  /** Offsets in the map header that hold pointers to the map's storage; the first is where a lookup starts. */
  readonly storageOffsets: readonly number[];
  /** The key is 4 bytes by value: a copy of the low half of its register is the key. */
  readonly key32: boolean;
  readonly callees: Callees;
  /** Stack slots that the code after an instruction still reads, by the address of the instruction. */
  readonly liveSlots: (address: number) => ReadonlySet<number>;
}

/** Offset of Hasher in the map type descriptor: src/internal/abi/map*.go, the same in every version (1.17-1.27). */
const HASHER_OFFSET = 72;

/** Direct callees whose result is the key's hash. Go 1.27 calls them instead of the type's own hasher. */
const HASH_FUNCTION = /^(runtime|internal\/runtime\/maps)\.(mem|str|f|c|inter|nilinter)[hH]ash\w*$/;

/** Callees that may be given the map and never read its storage: the race detector, and the way to a fatal error. */
const NOT_A_READER = /^runtime\.race\w*(\.abi0)?$|^internal\/race\.|\.(fatal|throw)$|\.morestack/;

/** Methods that read the map's or the type's header only; calls of their own where inlining was switched off (-l). */
const HEADER_READER =
  /^internal\/runtime\/maps\.\(\*Map\)\.(Used|directoryIndex)$|^runtime\.\(\*(hmap|maptype)\)\.\w+$|^internal\/abi\.\(\*\w*MapType\)\.\w+$/;
const COUNT_READER = /^internal\/runtime\/maps\.\(\*Map\)\.Used$/;

export function entryState(facts: FunctionFacts): State {
  const registers: Value[] = Array.from({ length: GENERAL_REGISTERS }, () => UNKNOWN);
  facts.arguments.forEach((name, i) => {
    const register = GO_ARGUMENTS[i];
    if (register !== undefined) {
      registers[register] = { kind: 'argument', name };
    }
  });
  registers[RSP] = { kind: 'stack', offset: 0 };
  return { registers, slots: new Map(), sp: 0 };
}

export interface Effect {
  /** The instruction may access the map's storage, itself or in a function it calls. */
  readonly readsStorage: boolean;
  /** The hash of the key is computed by this instruction. */
  readonly hashes: boolean;
  /** The map's entry count (first word of the header, classic and Swiss) is read: what follows knows it is not nil. */
  readonly readsCount: boolean;
  /** Name of the function that is called directly. */
  readonly callee: string | undefined;
}

/** Applies one instruction to `state`, in place. */
export function apply(instruction: Instruction, state: State, facts: FunctionFacts): Effect {
  if (instruction.flow === 'call' || instruction.flow === 'indirectCall') {
    return applyCall(instruction, state, facts);
  }
  const readsStorage = instruction.memory.some((m) => m.size > 0 && addressLeadsToStorage(m, state));
  const readsCount = instruction.memory.some((m) => m.size === 8 && isEntryCount(m, state));
  const handler = HANDLERS[instruction.mnemonic] ?? applyOther;
  handler(instruction, state, facts);
  const stack = state.registers[RSP];
  if (stack?.kind !== 'stack') {
    throw new UnprovenError(`stack pointer unknown after ${hex(instruction.address)}`);
  }
  state.sp = stack.offset;
  const [to] = instruction.operands;
  const hashes =
    instruction.mnemonic === 'xor' && to?.kind === 'register' && state.registers[to.register]?.kind === 'mix';
  return { readsStorage, hashes, readsCount, callee: undefined };
}

type Handler = (instruction: Instruction, state: State, facts: FunctionFacts) => void;

const HANDLERS: Readonly<Record<string, Handler | undefined>> = {
  mov: applyMove,
  movzx: applyMove,
  lea: applyLea,
  push: (instruction, state) => {
    const sp = state.sp - 8;
    const value = source(instruction.operands[0], state);
    state.slots.delete(sp);
    if (value.kind !== 'unknown') {
      state.slots.set(sp, value);
    }
    state.registers[RSP] = { kind: 'stack', offset: sp };
  },
  pop: (instruction, state) => {
    const value = state.slots.get(state.sp) ?? UNKNOWN;
    setDestination(instruction.operands[0], value, state);
    state.registers[RSP] = { kind: 'stack', offset: state.sp + 8 };
  },
  add: (instruction, state) => applyAdd(instruction, state, 1),
  sub: (instruction, state) => applyAdd(instruction, state, -1),
  mul: (_instruction, state) => {
    state.registers[RAX] = { kind: 'product' };
    state.registers[RDX] = { kind: 'product' };
  },
  xor: (instruction, state) => {
    const [to, from] = instruction.operands;
    const a = source(to, state);
    const b = source(from, state);
    applyOther(instruction, state);
    if (a.kind === 'product' && b.kind === 'product' && to?.kind === 'register') {
      state.registers[to.register] = { kind: 'mix' };
    }
  },
  nop: () => {},
  xchg: (instruction, state) => {
    // xchg %ax,%ax is a two-byte nop.
    const [a, b] = instruction.operands;
    if (a?.kind === 'register' && b?.kind === 'register' && a.register === b.register) {
      return;
    }
    applyOther(instruction, state);
  },
  ret: () => {},
};

function applyMove(instruction: Instruction, state: State, facts: FunctionFacts): void {
  const [to, from] = instruction.operands;
  let value = from?.kind === 'memory' ? load(from.memory, state, facts) : source(from, state);
  const width = to?.kind === 'register' ? to.size : to?.kind === 'memory' ? to.memory.size : 0;
  const whole =
    width === 8 || (width === 4 && facts.key32 && value.kind === 'argument' && value.name === 'key');
  if (!whole || instruction.mnemonic !== 'mov') {
    value = leadsToStorage(value) ? DERIVED : UNKNOWN;
  }
  setDestination(to, value, state);
}

function applyLea(instruction: Instruction, state: State): void {
  const [to, from] = instruction.operands;
  if (to?.kind !== 'register' || from?.kind !== 'memory') {
    applyOther(instruction, state);
    return;
  }
  const { base, index, displacement } = from.memory;
  const value = base === undefined ? UNKNOWN : (state.registers[base] ?? UNKNOWN);
  const other = index === undefined ? undefined : (state.registers[index] ?? UNKNOWN);
  if (other === undefined) {
    setDestination(to, moved(value, displacement), state);
  } else {
    setDestination(to, leadsToStorage(value) || leadsToStorage(other) ? DERIVED : UNKNOWN, state);
  }
}

function applyAdd(instruction: Instruction, state: State, sign: 1 | -1): void {
  const [to, by] = instruction.operands;
  if (to?.kind !== 'register' || to.size !== 8 || by?.kind !== 'immediate') {
    applyOther(instruction, state);
    return;
  }
  state.registers[to.register] = moved(state.registers[to.register] ?? UNKNOWN, sign * by.value);
}

/** The value `by` bytes further on. */
function moved(value: Value, by: number): Value {
  if (value.kind === 'stack') {
    return { kind: 'stack', offset: value.offset + by };
  }
  if (value.kind === 'storage') {
    return { kind: 'storage', addend: value.addend + by };
  }
  if (by === 0) {
    return value;
  }
  return value.kind === 'derived' ? DERIVED : UNKNOWN;
}

/** Any instruction without a rule of its own: what it writes becomes unknown, or derived when a source is. */
function applyOther(instruction: Instruction, state: State): void {
  const derived =
    instruction.reads.some((r) => leadsToStorage(state.registers[r] ?? UNKNOWN)) ||
    instruction.memory.some((m) => addressLeadsToStorage(m, state) || leadsToStorage(slotValue(m, state)));
  for (const register of instruction.writes) {
    if (register === RSP) {
      throw new UnprovenError(`unusual change of the stack pointer at ${hex(instruction.address)}`);
    }
    state.registers[register] = derived ? DERIVED : UNKNOWN;
  }
  const to = instruction.operands[0];
  if (to?.kind === 'memory' && !READ_ONLY.has(instruction.mnemonic)) {
    setDestination(to, derived ? DERIVED : UNKNOWN, state);
  }
}

/** Instructions whose first operand is only read. */
const READ_ONLY: ReadonlySet<string> = new Set(['cmp', 'test', 'bt', 'nop', 'prefetcht0', 'prefetchnta']);

function applyCall(instruction: Instruction, state: State, facts: FunctionFacts): Effect {
  const callee = instruction.target === undefined ? undefined : facts.callees.name(instruction.target);
  const hashes = callee !== undefined ? HASH_FUNCTION.test(callee) : callsHasher(instruction, state);
  const given = GO_ARGUMENTS.map((r) => state.registers[r] ?? UNKNOWN);
  const readsStorage =
    !hashes &&
    !(callee !== undefined && (NOT_A_READER.test(callee) || HEADER_READER.test(callee))) &&
    (given.some((v) => leadsToStorage(v) || (v.kind === 'argument' && v.name === 'map')) ||
      instruction.memory.some((m) => addressLeadsToStorage(m, state)));
  for (let r = 0; r < GENERAL_REGISTERS; r++) {
    if (r !== RSP && r !== RBP) {
      state.registers[r] = UNKNOWN;
    }
  }
  if (hashes) {
    state.registers[RAX] = { kind: 'hash' };
  } else if (readsStorage) {
    for (const r of GO_ARGUMENTS) {
      state.registers[r] = DERIVED;
    }
  }
  // A callee may move the stack, and then only slots that the code still reads are carried along and adjusted. Those the
  // callee also leaves alone: it may write its own arguments' homes at the bottom of this frame, which nobody reads here,
  // and no callee of a lookup function returns results on the stack (ABIInternal has nine registers for them).
  const live = facts.liveSlots(instruction.address);
  for (const offset of [...state.slots.keys()]) {
    if (offset < state.sp || !live.has(offset)) {
      state.slots.delete(offset);
    }
  }
  return { readsStorage, hashes, readsCount: callee !== undefined && COUNT_READER.test(callee), callee };
}

function callsHasher(instruction: Instruction, state: State): boolean {
  const [callee] = instruction.operands;
  if (callee?.kind === 'register') {
    return state.registers[callee.register]?.kind === 'hasherCode';
  }
  if (callee?.kind !== 'memory' || callee.memory.base === undefined || callee.memory.index !== undefined) {
    return false;
  }
  return callee.memory.displacement === 0 && state.registers[callee.memory.base]?.kind === 'hasher';
}

function load(memory: MemoryOperand, state: State, facts: FunctionFacts): Value {
  const slot = slotOffset(memory, state);
  if (slot !== undefined) {
    return state.slots.get(slot) ?? UNKNOWN;
  }
  if (addressLeadsToStorage(memory, state)) {
    return DERIVED;
  }
  if (memory.base === undefined || memory.index !== undefined) {
    return UNKNOWN;
  }
  const base = state.registers[memory.base] ?? UNKNOWN;
  if (base.kind === 'argument' && base.name === 'map' && facts.storageOffsets.includes(memory.displacement)) {
    return memory.displacement === facts.storageOffsets[0] ? { kind: 'storage', addend: 0 } : DERIVED;
  }
  if (base.kind === 'argument' && base.name === 'type' && memory.displacement === HASHER_OFFSET) {
    return { kind: 'hasher' };
  }
  if (base.kind === 'hasher' && memory.displacement === 0) {
    return { kind: 'hasherCode' };
  }
  return UNKNOWN;
}

function source(operand: Operand | undefined, state: State): Value {
  if (operand?.kind === 'register' && operand.size === 8) {
    return state.registers[operand.register] ?? UNKNOWN;
  }
  if (operand?.kind === 'register') {
    const value = state.registers[operand.register] ?? UNKNOWN;
    // The low half of a register still is the key when the key has 4 bytes; the caller decides.
    return value.kind === 'argument' && value.name === 'key'
      ? value
      : leadsToStorage(value)
        ? DERIVED
        : UNKNOWN;
  }
  if (operand?.kind === 'memory') {
    return slotValue(operand.memory, state);
  }
  return UNKNOWN;
}

function setDestination(operand: Operand | undefined, value: Value, state: State): void {
  if (operand?.kind === 'register') {
    state.registers[operand.register] = value;
  }
  if (operand?.kind !== 'memory') {
    return;
  }
  const slot = slotOffset(operand.memory, state);
  // A lookup writes nothing but its own frame. Were that not so, a store could change a slot unnoticed.
  if (slot === undefined) {
    throw new UnprovenError("a store that is not to the function's frame");
  }
  // Words that the store overlaps no longer hold what they held.
  const size = Math.max(operand.memory.size, 1);
  for (let overlapped = slot - 7; overlapped < slot + size; overlapped++) {
    state.slots.delete(overlapped);
  }
  if (value.kind !== 'unknown') {
    state.slots.set(slot, value);
  }
}

/** The stack slot an operand names, in bytes from the SP at entry, if it names one. */
export function slotOffset(memory: MemoryOperand, state: State): number | undefined {
  if (memory.base === undefined || memory.index !== undefined) {
    return undefined;
  }
  const base = state.registers[memory.base];
  return base?.kind === 'stack' ? base.offset + memory.displacement : undefined;
}

function slotValue(memory: MemoryOperand, state: State): Value {
  const slot = slotOffset(memory, state);
  return slot === undefined ? UNKNOWN : (state.slots.get(slot) ?? UNKNOWN);
}

function isEntryCount(memory: MemoryOperand, state: State): boolean {
  if (memory.base === undefined || memory.index !== undefined || memory.displacement !== 0) {
    return false;
  }
  const base = state.registers[memory.base];
  return base?.kind === 'argument' && base.name === 'map';
}

function addressLeadsToStorage(memory: MemoryOperand, state: State): boolean {
  return [memory.base, memory.index].some(
    (r) => r !== undefined && leadsToStorage(state.registers[r] ?? UNKNOWN),
  );
}
