/**
 * What the analysis knows of a 64-bit value. The domain is small on purpose: only what a lookup function's arguments
 * turn into on their way to the map's memory.
 *
 *     argument     an argument as it was passed: the type descriptor, the map, the key, the key's length
 *     stack        an address in the frame, in bytes from the stack pointer at entry
 *     storage      the word at map+16: buckets (classic), directory or single group (Swiss), plus an addend
 *     derived      may lead into the map's storage
 *     hasher       the type's hash function value; hasherCode its code pointer
 *     hash         the key's hash
 *     product      half of a 64x64 multiplication; mix: such halves folded by xor (Go's fallback hash, hash64.go)
 *     unknown      anything else
 */
export type Value =
  | { readonly kind: 'argument'; readonly name: ArgumentName }
  | { readonly kind: 'stack'; readonly offset: number }
  | { readonly kind: 'storage'; readonly addend: number }
  | { readonly kind: 'derived' | 'hasher' | 'hasherCode' | 'hash' | 'product' | 'mix' | 'unknown' };

export type ArgumentName = 'type' | 'map' | 'key' | 'keyLength';

export const UNKNOWN: Value = { kind: 'unknown' };
export const DERIVED: Value = { kind: 'derived' };

function sameValue(a: Value, b: Value): boolean {
  if (a.kind === 'argument') {
    return b.kind === 'argument' && a.name === b.name;
  }
  if (a.kind === 'stack') {
    return b.kind === 'stack' && a.offset === b.offset;
  }
  if (a.kind === 'storage') {
    return b.kind === 'storage' && a.addend === b.addend;
  }
  return a.kind === b.kind;
}

/** Whether a memory access through this value may read the map's buckets, groups, tables or directory. */
export function leadsToStorage(value: Value): boolean {
  return value.kind === 'storage' || value.kind === 'derived';
}

/**
 * The value where two paths meet. A computed `mix` meeting a `hash` is the hash: Go 1.27 computes the hash of a fast key
 * either by a call or, without AES instructions, inline, and the code after the join uses one variable for both.
 */
function joinValues(a: Value, b: Value): Value {
  if (sameValue(a, b)) {
    return a;
  }
  if (leadsToStorage(a) || leadsToStorage(b)) {
    return DERIVED;
  }
  if ((a.kind === 'hash' && b.kind === 'mix') || (a.kind === 'mix' && b.kind === 'hash')) {
    return { kind: 'hash' };
  }
  return UNKNOWN;
}

/** What is known at one point of a function: registers, and stack slots by their offset from the SP at entry. */
export interface State {
  readonly registers: Value[];
  readonly slots: Map<number, Value>;
  /** SP minus the SP at entry: 0 at entry, where SP points to the return address. */
  sp: number;
}

export function copyState(state: State): State {
  return { registers: [...state.registers], slots: new Map(state.slots), sp: state.sp };
}

/** Joins `incoming` into `state`; says whether anything changed. The stack pointers must agree. */
export function joinState(state: State, incoming: State): boolean {
  let changed = false;
  for (let i = 0; i < state.registers.length; i++) {
    const before = state.registers[i] ?? UNKNOWN;
    const after = joinValues(before, incoming.registers[i] ?? UNKNOWN);
    if (!sameValue(before, after)) {
      state.registers[i] = after;
      changed = true;
    }
  }
  for (const [offset, before] of state.slots) {
    const after = joinValues(before, incoming.slots.get(offset) ?? UNKNOWN);
    if (sameValue(before, after)) {
      continue;
    }
    changed = true;
    if (after.kind === 'unknown') {
      state.slots.delete(offset);
    } else {
      state.slots.set(offset, after);
    }
  }
  for (const [offset, value] of incoming.slots) {
    if (state.slots.has(offset) || !leadsToStorage(value)) {
      continue;
    }
    state.slots.set(offset, DERIVED);
    changed = true;
  }
  return changed;
}
