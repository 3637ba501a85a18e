import { type NumberConstant, recordConstant } from '../../kernel/records.ts';
import { COUNT_BOUNDS, highestBoundInUse } from '../../model/buckets.ts';
import { largerMap, laterMap } from '../../model/merge.ts';
import { emptySketch, includeSketch } from '../../model/sketch.ts';
import { type MapState, NO_MAP } from '../../model/snapshot.ts';

/** What an aggregate is of. There is one such object for each name that a reader has met. */
export interface AggregateName {
  /** The name, as the kernel has it. */
  readonly key: string;
  /** Link-time return address of the call. */
  readonly caller: number;
  /**
   * Link-time address of the map type, or its run-time address when `runtimeType` is set. That of a type in another file, which a
   * plugin uses, may be negative.
   */
  readonly type: number;
  readonly runtimeType: boolean;
  /** Index into ProbePlan.functions. */
  readonly functionIndex: number;
  readonly hit: boolean;
  /** Of lookups that the kernel had no room for under their own name: caller and type say nothing. */
  readonly isOther: boolean;
}

const RUNTIME_TYPE = 1n << 63n;

/** Takes the word of an aggregate's name apart that says which map type it is of. */
export function decodeType(type: bigint): Pick<AggregateName, 'type' | 'runtimeType'> {
  // Addresses of user space have 47 bits: that the next bit is clear as well tells the mark from a negative address.
  const runtimeType = type >> 62n === 2n;
  return { type: Number(runtimeType ? type & ~RUNTIME_TYPE : BigInt.asIntN(64, type)), runtimeType };
}

/** Takes the two words of struct lookup_key apart. */
export function decodeName(caller: bigint, type: bigint): AggregateName {
  const hitShift = recordConstant('CALLER_HIT_SHIFT');
  const address = Number(BigInt.asUintN(hitShift, caller));
  return {
    key: `${caller} ${type}`,
    caller: address,
    ...decodeType(type),
    functionIndex: Number(caller >> BigInt(recordConstant('CALLER_FUNCTION_SHIFT'))),
    hit: ((caller >> BigInt(hitShift)) & 1n) === 1n,
    isOther: type === 0n && address === recordConstant('OTHER_CALLERS'),
  };
}

/** The name of all lookups of a function and result that have none of their own. */
export function otherName({
  functionIndex,
  hit,
}: Pick<AggregateName, 'functionIndex' | 'hit'>): AggregateName {
  const above =
    (BigInt(functionIndex) << BigInt(recordConstant('CALLER_FUNCTION_SHIFT'))) |
    (BigInt(hit) << BigInt(recordConstant('CALLER_HIT_SHIFT')));
  return decodeName(above | BigInt(recordConstant('OTHER_CALLERS')), 0n);
}

/** How many lookups an aggregate has counted. */
export interface LookupCount {
  /** Its name, as the kernel has it. */
  readonly key: string;
  readonly lookups: number;
}

/** What aggregates have counted, summed over CPUs. Arrays are bucket counts, see bpf/shared/bounds.h. */
export interface Counted {
  lookups: number;
  growing: number;
  probeLength: number[];
  probeLengthSum: number;
  probeLengthMax: number;
  keyComparisons: number[];
  keyComparisonsSum: number;
  keyComparisonsMax: number;
  homePosition: number[];
  homePositionSum: number;
  loadFactor: number[];
  loadFactorSum: number;
  /** By enum inexact_reason. */
  inexact: number[];
  /** Of the cycle that was asked for; NO_MAP when it had no lookup. */
  largest: MapState;
  latest: MapState;
  mapsSketch: Uint8Array;
}

/** One aggregate of the kernel. */
export interface Aggregate extends AggregateName, Counted {}

/** Nothing counted. */
export function nothingCounted(): Counted {
  const zeros = (length: NumberConstant) => new Array<number>(recordConstant(length)).fill(0);
  return {
    lookups: 0,
    growing: 0,
    probeLength: zeros('COUNT_BUCKETS'),
    probeLengthSum: 0,
    probeLengthMax: 0,
    keyComparisons: zeros('COUNT_BUCKETS'),
    keyComparisonsSum: 0,
    keyComparisonsMax: 0,
    homePosition: zeros('RATIO_BUCKETS'),
    homePositionSum: 0,
    loadFactor: zeros('RATIO_BUCKETS'),
    loadFactorSum: 0,
    inexact: zeros('INEXACT_COUNT'),
    largest: NO_MAP,
    latest: NO_MAP,
    mapsSketch: emptySketch(),
  };
}

/** Numbers of which there are more later. */
const SUMS = [
  'lookups',
  'growing',
  'probeLengthSum',
  'keyComparisonsSum',
  'homePositionSum',
  'loadFactorSum',
] as const;
const BUCKETS = ['probeLength', 'keyComparisons', 'homePosition', 'loadFactor', 'inexact'] as const;
const MAXIMA = [
  ['probeLengthMax', 'probeLength'],
  ['keyComparisonsMax', 'keyComparisons'],
] as const;

/** Adds to what was counted. */
export function addCounted(to: Counted, more: Counted): void {
  for (const name of SUMS) {
    to[name] += more[name];
  }
  for (const name of BUCKETS) {
    more[name].forEach((count, i) => {
      to[name][i] = (to[name][i] ?? 0) + count;
    });
  }
  for (const [max] of MAXIMA) {
    to[max] = Math.max(to[max], more[max]);
  }
  to.largest = largerMap(to.largest, more.largest);
  to.latest = laterMap(to.latest, more.latest);
  includeSketch(to.mapsSketch, more.mapsSketch);
}

/**
 * What was counted since an earlier reading of the same. Of the numbers that are no counts, those of the maps stay as they are; a
 * maximum from before is replaced by the upper limit of the highest bucket since.
 */
export function countedSince<T extends Counted>(now: T, before: Counted): T {
  const since = { ...now };
  for (const name of SUMS) {
    since[name] -= before[name];
  }
  for (const name of BUCKETS) {
    since[name] = now[name].map((count, i) => count - (before[name][i] ?? 0));
  }
  for (const [max, buckets] of MAXIMA) {
    if (now[max] === before[max]) {
      since[max] = Math.min(now[max], highestBoundInUse(COUNT_BOUNDS, since[buckets]));
    }
  }
  return since;
}
