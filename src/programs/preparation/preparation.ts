import type { GoBinary } from '../../gobinary/index.ts';
import { type ProbePlan, planProbes } from '../../plan/lookups/plan.ts';
import { findStringHash, type StringHashState } from '../../plan/lookups/string-hash.ts';
import { wrapperFrames } from '../../plan/lookups/wrappers.ts';
import { planTraceSites, type TraceSourcePlan } from '../../plan/traces/plan.ts';
import { type TypeTables, typeTables } from '../data/type-tables.ts';

/** All that has to be worked out from a binary before the program can be loaded for it. Plain data: it may be sent around. */
export interface Preparation {
  readonly plan: ProbePlan;
  readonly tables: TypeTables;
  /** Return address within a wrapper to the size of its frame there. */
  readonly wrappers: ReadonlyMap<number, number>;
  /** Undefined where it is not known, or of no use. */
  readonly stringHash: StringHashState | undefined;
  /** How spans can be followed; undefined when that was not asked for. */
  readonly tracePlans: readonly TraceSourcePlan[] | undefined;
}

export interface PreparationOptions {
  /** Spans are to be followed. */
  readonly traces?: boolean;
}

export function prepare(binary: GoBinary, { traces = false }: PreparationOptions = {}): Preparation {
  return {
    plan: planProbes(binary),
    tables: typeTables(binary),
    wrappers: wrapperFrames(binary),
    // The runtime of classic maps hands the hash over.
    stringHash: binary.mapImplementation === 'swiss' ? findStringHash(binary) : undefined,
    tracePlans: traces ? planTraceSites(binary) : undefined,
  };
}
