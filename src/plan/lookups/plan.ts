import type { GoBinary, GoFunction } from '../../gobinary/index.ts';
import { type AnalyzedFunction, analyze, type Location } from '../code/analyze.ts';
import { calleesOf } from '../code/callees.ts';
import { codeOf } from '../code/code-of.ts';
import { hex, UnprovenError } from '../code/disassemble.ts';
import type { ArgumentName } from '../code/values.ts';
import { chooseSites, type SiteChoice } from './choose.ts';
import { lookupFunctions } from './lookup-functions.ts';

/** What kind of key a lookup function takes; the values of enum key_class in bpf/shared/site.h. */
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
  /** A lookup in a map of one bucket comes here only when another site of the function has deferred it. */
  readonly resumes: boolean;
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

/** Offsets in the map header that lead to the map's memory: go-map structures, see gobinary/go/layouts.ts. */
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
    let { result, sites: own } = planFunction(binary, fn, index);
    if (sites.length + own.length > MOST_SITES) {
      result = { outcome: 'refused', reason: `the program has more than ${MOST_SITES} probe sites` };
      own = [];
    }
    functions.push({ name: fn.name, entry: fn.entry, ...result });
    sites.push(...own);
  }
  return { functions, sites };
}

/** As many as the programs in the kernel have room for: MAX_PROBE_SITES in bpf/shared/site.h. Go's need 21. */
const MOST_SITES = 64;

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
      code: codeOf(binary, fn),
      entry: fn.entry,
      arguments: names,
      storageOffsets: STORAGE_OFFSETS[binary.mapImplementation],
      key32: keyClass === 'KEY_BYTES32',
      callees: calleesOf(binary),
    });
    const isSwiss = binary.mapImplementation === 'swiss';
    const choice = chooseSites(analyzed, {
      arguments: names,
      storageIsEnough: isSwiss,
      mayNotHash: keyClass !== 'KEY_POINTER',
      mayDefer: keyClass === 'KEY_STRING' && !isSwiss,
    });
    if (!choice.proven) {
      return { result: { outcome: 'refused', reason: choice.reason }, sites: [] };
    }
    if (choice.delegatesTo !== undefined) {
      return { result: { outcome: 'delegates', to: choice.delegatesTo }, sites: [] };
    }
    const sites = choice.sites.map((site) => ({
      ...toProbeSite(binary, analyzed, site, index, keyClass),
      resumes: choice.defers && site.hasHash,
    }));
    return { result: { outcome: 'probed', sites: sites.length }, sites };
  } catch (error) {
    if (!(error instanceof UnprovenError)) {
      throw error;
    }
    return { result: { outcome: 'refused', reason: error.message }, sites: [] };
  }
}

function keyClassOf(name: string): KeyClass {
  if (name.endsWith('_fast32')) {
    return 'KEY_BYTES32';
  }
  if (name.endsWith('_fast64')) {
    return 'KEY_BYTES64';
  }
  return name.endsWith('_faststr') ? 'KEY_STRING' : 'KEY_POINTER';
}

function toProbeSite(
  binary: GoBinary,
  fn: AnalyzedFunction,
  site: SiteChoice,
  functionIndex: number,
  keyClass: KeyClass,
): Omit<ProbeSite, 'resumes'> {
  const node = fn[site.index];
  if (node === undefined) {
    throw new RangeError(`no instruction ${site.index}`);
  }
  const { address, bytes, text } = node.instruction;
  const fileOffset = binary.fileOffset(address);
  if (fileOffset === undefined) {
    throw new UnprovenError(`${hex(address)} is not in the executable file`);
  }
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
