/* What follows from the counts that were read at one moment. */
import type { FunctionStats } from '../model/snapshot.ts';
import type { ProbePlan } from '../plan/lookups/plan.ts';
import type { AggregateName, LookupCount } from '../programs/readers/aggregate.ts';
import { inexactReasons } from '../programs/readers/counters.ts';

/** Totals of the lookup functions that are observed. */
export function functionStats(
  plan: ProbePlan,
  counts: ReadonlyMap<AggregateName, number>,
  estimateOf: (name: AggregateName) => number,
): FunctionStats[] {
  const byFunction = Map.groupBy(counts, ([{ functionIndex }]) => functionIndex);
  return plan.functions.flatMap((fn, index) => {
    if (fn.outcome !== 'probed') {
      return [];
    }
    const names = byFunction.get(index) ?? [];
    const lookups = sum(names.map(([, count]) => count));
    const hits = sum(names.map(([{ hit }, count]) => (hit ? count : 0)));
    return [
      {
        name: fn.name.replace(/^runtime\./, ''),
        lookups,
        estimatedLookups: sum(names.map(([name]) => estimateOf(name))),
        hits,
        misses: lookups - hits,
        sites: fn.sites,
      },
    ];
  });
}

/** The same, as estimates take it. */
export function lookupCounts(counts: ReadonlyMap<AggregateName, number>): LookupCount[] {
  return [...counts].map(([{ key }, lookups]) => ({ key, lookups }));
}

/** All of them together. */
export function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) {
    total += number;
  }
  return total;
}

/** Inexact lookups by reason. @param inexact by enum inexact_reason */
export function totalInexact(inexact: readonly number[]): Record<string, number> {
  const totals: Record<string, number> = {};
  inexactReasons().forEach((reason, i) => {
    const total = inexact[i] ?? 0;
    if (total > 0) {
      totals[reason] = total;
    }
  });
  return totals;
}
