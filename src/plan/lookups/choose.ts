import { type AnalyzedFunction, type Location, locate } from '../code/analyze.ts';
import type { Operand } from '../code/disassemble.ts';
import { isEmulated } from '../code/emulated.ts';
import type { ArgumentName } from '../code/values.ts';
import { LOOKUP_FUNCTION } from './lookup-functions.ts';
import { Effort, provesEachLookupOnce, provesHashedOnce } from './paths.ts';

/** A breakpoint and where the values of a lookup are when it is hit. */
export interface SiteChoice {
  readonly index: number;
  readonly hasHash: boolean;
  /** `map` is the map's storage (its single group), because its header is no longer known here. */
  readonly mapIsStorage: boolean;
  readonly type: Location;
  readonly map: Location;
  readonly key: Location;
  readonly keyLength: Location | undefined;
  readonly hash: Location | undefined;
}

export type Choice =
  /** The function only passes its arguments on to another lookup function, which has the sites. */
  | { readonly proven: true; readonly delegatesTo: string }
  | {
      readonly proven: true;
      readonly delegatesTo: undefined;
      readonly sites: readonly SiteChoice[];
      readonly defers: boolean;
    }
  | { readonly proven: false; readonly reason: string };

/** More sites on the paths without a hash than this are not searched for; no known function needs more than two. */
const MOST_UNHASHED_SITES = 3;

/** What is known of a lookup function besides its code. */
export interface LookupFunctionFacts {
  readonly arguments: readonly ArgumentName[];
  /** A small map may be decoded from its storage alone (Swiss: one group is the whole map). */
  readonly storageIsEnough: boolean;
  /** The function computes no hash for some maps; one for keys of any type always does. */
  readonly mayNotHash: boolean;
  /** The program in the kernel can tell, before the function, whether it will hash (strings in classic maps). */
  readonly mayDefer: boolean;
}

/**
 * Chooses the probe sites of an analysed lookup function: as few as possible, each an emulated instruction at which
 * type, map, key (and hash) are proven to be in known places, such that every lookup is seen once.
 *
 * @throws UnprovenError when that takes too long
 */
export function chooseSites(fn: AnalyzedFunction, facts: LookupFunctionFacts): Choice {
  const readers = fn.filter((node) => node.effect.readsStorage);
  const delegate = readers[0]?.effect.callee;
  if (
    delegate !== undefined &&
    LOOKUP_FUNCTION.test(delegate) &&
    readers.every((r) => r.effect.callee === delegate)
  ) {
    return { proven: true, delegatesTo: delegate };
  }
  const missing = whatIsMissing(fn);
  if (missing !== undefined) {
    return { proven: false, reason: missing };
  }
  const needed = facts.arguments.filter((name) => name !== 'map');
  const candidates = fn.flatMap((node, index) => {
    const site =
      node.reachable && isEmulated(node.instruction)
        ? describe(fn, index, needed, facts.storageIsEnough)
        : undefined;
    return site === undefined ? [] : [site];
  });
  const effort = new Effort();
  const hashed = chooseHashed(
    fn,
    candidates.filter((c) => c.hasHash),
    effort,
  );
  if (hashed === undefined) {
    const reason = fn.some(comparesHasher)
      ? 'its compiler has inlined a hash function into it, as it does for a profile (PGO)'
      : 'no emulated instruction after the hash is on every hashed path';
    return { proven: false, reason };
  }
  const behindHash = reachableFrom(
    fn,
    fn.flatMap((node) => (node.effect.hashes ? node.next : [])),
  );
  const unhashed = candidates.filter(
    (c) => facts.mayNotHash && !c.hasHash && !behindHash.has(c.index) && !isInLoop(fn, c.index),
  );
  const leadsToHashed = (c: SiteChoice) => {
    const reached = reachableFrom(fn, fn[c.index]?.next ?? []);
    return hashed.some((h) => reached.has(h.index));
  };
  const exclusive = unhashed.filter((c) => !leadsToHashed(c));
  // Best first: sites of their own for the paths without a hash, and none that nil and empty maps reach.
  for (const allowDeferral of facts.mayDefer ? [false, true] : [false]) {
    for (const afterCount of [true, false]) {
      for (const chosen of subsets(allowDeferral ? unhashed : exclusive, MOST_UNHASHED_SITES)) {
        const sets = { hashed: indices(hashed), unhashed: indices(chosen) };
        const request = { ...sets, allowDeferral, afterCount, effort };
        if (provesEachLookupOnce(fn, request)) {
          return {
            proven: true,
            delegatesTo: undefined,
            sites: [...hashed, ...chosen],
            defers: allowDeferral,
          };
        }
      }
    }
  }
  return {
    proven: false,
    reason: "no set of emulated instructions lies exactly once on every path to the map's memory",
  };
}

/**
 * Why a function is no lookup as it is known. Every lookup function computes the key's hash, for large maps at least; where that
 * is not found, the code does it in a way that is not understood, and most of its lookups would not be seen.
 */
function whatIsMissing(fn: AnalyzedFunction): string | undefined {
  if (!fn.some((node) => node.effect.readsStorage)) {
    return "nothing in it reads the map's memory";
  }
  return fn.some((node) => node.effect.hashes)
    ? undefined
    : 'nothing in it is known to compute the hash of the key';
}

/**
 * Whether an instruction asks which hash function a map type has. Go 1.22 and 1.23 apply a program's profile to the runtime too:
 * where one hash function prevails, its body stands behind such a comparison, beside the call of all others.
 */
function comparesHasher({ instruction, before }: AnalyzedFunction[number]): boolean {
  const isHasher = (operand: Operand) =>
    operand.kind === 'memory'
      ? operand.memory.base !== undefined && before.registers[operand.memory.base]?.kind === 'hasher'
      : operand.kind === 'register' && before.registers[operand.register]?.kind === 'hasherCode';
  return instruction.mnemonic === 'cmp' && instruction.operands.some(isHasher);
}

function indices(sites: readonly SiteChoice[]): ReadonlySet<number> {
  return new Set(sites.map((s) => s.index));
}

function describe(
  fn: AnalyzedFunction,
  index: number,
  needed: readonly ArgumentName[],
  storageIsEnough: boolean,
): SiteChoice | undefined {
  const state = fn[index]?.before;
  if (state === undefined) {
    return undefined;
  }
  const hash = locate(state, 'hash');
  const header = locate(state, 'map');
  const map = header ?? (hash === undefined && storageIsEnough ? locate(state, 'storage') : undefined);
  const type = locate(state, 'type');
  const key = locate(state, 'key');
  const keyLength = locate(state, 'keyLength');
  if (map === undefined || type === undefined || key === undefined) {
    return undefined;
  }
  if (needed.includes('keyLength') && keyLength === undefined) {
    return undefined;
  }
  return {
    index,
    hasHash: hash !== undefined,
    mapIsStorage: header === undefined,
    type,
    map,
    key,
    keyLength,
    hash,
  };
}

/** The fewest hashed sites that every hashed path crosses once; the earliest of them. */
function chooseHashed(
  fn: AnalyzedFunction,
  candidates: readonly SiteChoice[],
  effort: Effort,
): readonly SiteChoice[] | undefined {
  for (const chosen of subsets(candidates, 2)) {
    if (chosen.length > 0 && provesHashedOnce(fn, indices(chosen), effort)) {
      return chosen;
    }
  }
  return undefined;
}

/** Indices of the instructions that control flow can reach from the given ones, these included. */
function reachableFrom(fn: AnalyzedFunction, starts: readonly number[]): ReadonlySet<number> {
  const reached = new Set<number>();
  const pending = [...starts];
  for (let i = pending.pop(); i !== undefined; i = pending.pop()) {
    if (reached.has(i)) {
      continue;
    }
    reached.add(i);
    pending.push(...(fn[i]?.next ?? []));
  }
  return reached;
}

/** A lookup may pass an instruction of a loop more than once. The loop over morestack to the entry does not count. */
function isInLoop(fn: AnalyzedFunction, index: number): boolean {
  const reached = reachableFrom(fn, fn[index]?.next ?? []);
  return reached.has(index) && !reached.has(0);
}

/** All subsets of up to `most` members, the empty one first, then by size, members in the given order. */
function* subsets<T>(members: readonly T[], most: number): Generator<readonly T[]> {
  yield [];
  for (let size = 1; size <= most; size++) {
    yield* combinations(members, size);
  }
}

function* combinations<T>(members: readonly T[], size: number, from = 0): Generator<readonly T[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (let i = from; i < members.length; i++) {
    const member = members[i];
    if (member === undefined) {
      continue;
    }
    for (const rest of combinations(members, size - 1, i + 1)) {
      yield [member, ...rest];
    }
  }
}
