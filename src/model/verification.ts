import type { SourcePosition } from './position.ts';

/** Why a lookup that was seen was not checked, in words. */
export type NotChecked = Readonly<Record<string, number>>;

/** What became of the lookups of one lookup function. */
export interface FunctionVerdict {
  /** As in the symbol table, e.g. `runtime.mapaccess2_faststr`. */
  readonly name: string;
  /** Index into ProbePlan.functions. */
  readonly functionIndex: number;
  /** agreed + disagreed */
  readonly checked: number;
  readonly agreed: number;
  readonly disagreed: number;
  /** Of the agreed ones, misses of which it is known only that they returned no element. */
  readonly zeroUnknown: number;
  readonly notChecked: NotChecked;
  /** Times the function returned while it was watched; also from nil and empty maps, which are no lookups. */
  readonly returns: number;
}

/** A lookup whose function returned something else than was decoded. Addresses of the running process. */
export interface Disagreement {
  readonly function: string;
  readonly type: string;
  readonly callSite: SourcePosition;
  /** undefined: a miss */
  readonly expected: { readonly key: bigint; readonly elem: bigint } | undefined;
  /** What was in the first two result registers. */
  readonly returned: readonly [bigint, bigint];
}

/** What verification found out about one target. */
export interface VerifyResult {
  /** Lookups wanted of each function. */
  readonly wanted: number;
  /** The lookup functions that have probe sites. */
  readonly functions: readonly FunctionVerdict[];
  /** Functions that only call another one, and which. */
  readonly delegates: readonly { readonly name: string; readonly to: string }[];
  /** Functions whose lookups cannot be observed at all, and why. */
  readonly refused: readonly { readonly name: string; readonly reason: string }[];
  /** The first few of each function. */
  readonly disagreements: readonly Disagreement[];
  readonly seconds: number;
}

/**
 * A function is given up after this many returns for each lookup that is wanted: it is called mostly for nil and empty
 * maps, and each return costs the target a single-step.
 */
const MOST_RETURNS = 100;

/** Whether a function has been watched for long enough. */
export function hasHadEnough({ checked, returns }: FunctionVerdict, wanted: number): boolean {
  return checked >= wanted || returns >= MOST_RETURNS * wanted;
}

/** Lookups that were checked, of all functions. */
export function checkedIn(result: VerifyResult): number {
  return result.functions.reduce((sum, { checked }) => sum + checked, 0);
}

/** Lookups that disagreed, of all functions. */
export function disagreementsIn(result: VerifyResult): number {
  return result.functions.reduce((sum, { disagreed }) => sum + disagreed, 0);
}
