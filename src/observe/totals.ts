import type { FunctionStats } from '../model/snapshot.ts';
import type { ProbePlan } from '../plan/lookups/plan.ts';
import { type Aggregate, inexactReasons } from '../programs/readers/aggregates.ts';
import type { LookupEstimates } from './windows/estimate.ts';

/** Lookups of several aggregates. */
export function lookupsOf(aggregates: readonly Pick<Aggregate, 'lookups'>[]): number {
  return aggregates.reduce((sum, a) => sum + a.lookups, 0);
}

/** What was counted of each lookup function that is observed. */
export function functionStats(
  plan: ProbePlan,
  aggregates: readonly Aggregate[],
  estimates: LookupEstimates,
): FunctionStats[] {
  return plan.functions.flatMap((fn, index) => {
    if (fn.outcome !== 'probed') {
      return [];
    }
    const own = aggregates.filter((a) => a.functionIndex === index);
    const hits = lookupsOf(own.filter((a) => a.hit));
    const lookups = lookupsOf(own);
    return [
      {
        name: fn.name.replace(/^runtime\./, ''),
        lookups,
        estimatedLookups: own.reduce((total, a) => total + estimates.of(a), 0),
        hits,
        misses: lookups - hits,
        sites: fn.sites,
      },
    ];
  });
}

/** Lookups that are not certain, by reason; reasons without any are left out. */
export function totalInexact(aggregates: readonly Aggregate[]): Record<string, number> {
  const totals: Record<string, number> = {};
  inexactReasons().forEach((reason, i) => {
    const total = aggregates.reduce((sum, a) => sum + (a.inexact[i] ?? 0), 0);
    if (total > 0) {
      totals[reason] = total;
    }
  });
  return totals;
}
