import type { GoBinary, GoFunction } from '../gobinary/index.ts';
import { type AnalyzedFunction, analyze, type Location } from './analyze.ts';
import { chooseSites, LOOKUP_FUNCTION, type SiteChoice } from './choose.ts';
import { hex, UnprovenError } from './disassemble.ts';
import type { ArgumentName } from './values.ts';

/** What kind of key a lookup function takes; the values of enum key_class in bpf/records.h. */
export type KeyClass = 'KEY_BYTES32' | 'KEY_BYTES64' | 'KEY_STRING' | 'KEY_POINTER';

/** One breakpoint, and how a lookup is read from the state of the thread that hits it. */
export interface ProbeSite {
  /** Link-time address of the probed instruction. */
  readonly address: number;
  /** The same as an offset into the executable file. */
  readonly fileOffset: number;
  /** The instruction's bytes, to be compared with what is mapped before anything is attached. */
  readonly bytes: Uint8Array;
  /** The instruction as text, for people. */
  readonly instruction: string;
  /** Index into ProbePlan.functions. */
  readonly functionIndex: number;
  readonly keyClass: KeyClass;
  readonly hasHash: boolean;
  /** `map` is the map's first group instead of its header. */
  readonly mapIsStorage: boolean;
  /** Bytes from SP at the site to the lookup function's return address. */
  readonly returnOffset: number;
  readonly type: Location;
  readonly map: Location;
  readonly key: Location;
  readonly keyLength: Location | undefined;
  readonly hash: Location | undefined;
}

/** A lookup function of the binary and what the planner made of it. */
export type PlannedFunction = {
  /** As in the symbol table, e.g. `runtime.mapaccess2_faststr`. */
  readonly name: string;
  readonly entry: number;
} & (
  | { readonly outcome: 'probed'; readonly sites: number }
  /** It only calls another lookup function, which has the sites. */
  | { readonly outcome: 'delegates'; readonly to: string }
  | { readonly outcome: 'refused'; readonly reason: string }
);

export interface ProbePlan {
  readonly functions: readonly PlannedFunction[];
  readonly sites: readonly ProbeSite[];
}

/** Offsets in the map header that lead to the map's memory: go-map structures, see gobinary/layouts.ts. */
const STORAGE_OFFSETS = {
  /** maps.Map.dirPtr (src/internal/runtime/maps/map.go, 1.24-1.27) */
  swiss: [16],
  /** hmap.buckets, hmap.oldbuckets (src/runtime/map.go, 1.17-1.25) */
  classic: [16, 24],
} as const;

/**
 * Plans the probe sites of every lookup function in a binary. A function whose machine code cannot be proven is refused
 * with the reason; the others are planned all the same.
 */
export function planProbes(binary: GoBinary): ProbePlan {
  const functions: PlannedFunction[] = [];
  const sites: ProbeSite[] = [];
  for (const fn of lookupFunctions(binary)) {
    const index = functions.length;
    const planned = planFunction(binary, fn, index);
    functions.push({ name: fn.name, entry: fn.entry, ...planned.result });
    sites.push(...planned.sites);
  }
  return { functions, sites };
}

/** The lookup functions the binary contains, in a stable order. Of several bodies of one name each is its own entry. */
export function lookupFunctions(binary: GoBinary): GoFunction[] {
  const found: GoFunction[] = [];
  for (const prefix of ['mapaccess1', 'mapaccess2', 'mapaccessK']) {
    for (const suffix of ['', '_fast32', '_fast64', '_faststr', '_fat']) {
      const name = `runtime.${prefix}${suffix}`;
      if (LOOKUP_FUNCTION.test(name)) found.push(...binary.functionsNamed(name));
    }
  }
  return found;
}

type Outcome<T> = T extends unknown ? Omit<T, 'name' | 'entry'> : never;

function planFunction(
  binary: GoBinary,
  fn: GoFunction,
  index: number,
): { result: Outcome<PlannedFunction>; sites: ProbeSite[] } {
  const keyClass = keyClassOf(fn.name);
  const names: ArgumentName[] =
    keyClass === 'KEY_STRING' ? ['type', 'map', 'key', 'keyLength'] : ['type', 'map', 'key'];
  try {
    const analyzed = analyze({
      code: binary.code(fn),
      entry: fn.entry,
      arguments: names,
      storageOffsets: STORAGE_OFFSETS[binary.mapImplementation],
      key32: keyClass === 'KEY_BYTES32',
      calleeName: (address) => {
        const callee = binary.functionAt(address);
        return callee?.entry === address ? callee.name : undefined;
      },
    });
    const choice = chooseSites(analyzed, names, binary.mapImplementation === 'swiss');
    if (!choice.proven) return { result: { outcome: 'refused', reason: choice.reason }, sites: [] };
    if (choice.delegatesTo !== undefined)
      return { result: { outcome: 'delegates', to: choice.delegatesTo }, sites: [] };
    const sites = choice.sites.map((site) => toProbeSite(binary, analyzed, site, index, keyClass));
    return { result: { outcome: 'probed', sites: sites.length }, sites };
  } catch (error) {
    if (!(error instanceof UnprovenError)) throw error;
    return { result: { outcome: 'refused', reason: error.message }, sites: [] };
  }
}

function keyClassOf(name: string): KeyClass {
  if (name.endsWith('_fast32')) return 'KEY_BYTES32';
  if (name.endsWith('_fast64')) return 'KEY_BYTES64';
  return name.endsWith('_faststr') ? 'KEY_STRING' : 'KEY_POINTER';
}

function toProbeSite(
  binary: GoBinary,
  fn: AnalyzedFunction,
  site: SiteChoice,
  functionIndex: number,
  keyClass: KeyClass,
): ProbeSite {
  const node = fn[site.index];
  if (node === undefined) throw new RangeError(`no instruction ${site.index}`);
  const { address, bytes, text } = node.instruction;
  const fileOffset = binary.fileOffset(address);
  if (fileOffset === undefined) throw new UnprovenError(`${hex(address)} is not in the executable file`);
  const { hasHash, mapIsStorage, type, map, key, keyLength, hash } = site;
  return {
    address,
    fileOffset,
    bytes,
    instruction: text,
    functionIndex,
    keyClass,
    hasHash,
    mapIsStorage,
    returnOffset: -node.before.sp,
    type,
    map,
    key,
    keyLength,
    hash,
  };
}
