/* What follows from the counts that were read at one moment. */
import type { FullTables } from '../model/full-tables.ts';
import type { CallSiteStats, FunctionStats, Snapshot } from '../model/snapshot.ts';
import type { ProbePlan } from '../plan/lookups/plan.ts';
import type { AggregateName, LookupCount } from '../programs/readers/aggregate.ts';
import { type Counters, inexactReasons } from '../programs/readers/counters.ts';

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

/** What became of the hits of probe sites, but for lookups. */
export function hitCounts({
  hits,
  deferred,
  resumed,
  empty,
  unreadable,
  dropped,
  windowClosed: notDecoded,
}: Counters): Pick<
  Snapshot,
  'hits' | 'deferred' | 'resumed' | 'empty' | 'unreadable' | 'dropped' | 'notDecoded'
> {
  return { hits, deferred, resumed, empty, unreadable, dropped, notDecoded };
}

/** What was counted beside the counters, for `fullTables`; undefined is what was not asked for. */
interface Beside {
  readonly others: readonly CallSiteStats[];
  readonly counts: ReadonlyMap<AggregateName, number>;
  readonly goroutines: Snapshot['goroutines'] | undefined;
  readonly spans: Snapshot['spans'] | undefined;
  readonly following: Snapshot['following'] | undefined;
  readonly candidates: { readonly dropped: number } | undefined;
  readonly looksForSpikes: boolean;
}

/** What there was no room for, by the table that was full: of those in use. */
export function fullTables({ lost }: Counters, beside: Beside): FullTables {
  const { others, counts, goroutines, spans, following, candidates } = beside;
  return {
    call_sites: sum(others.map(({ lookups }) => lookups)),
    kernel_call_sites: sum([...counts].map(([{ isOther }, lookups]) => (isOther ? lookups : 0))),
    map_types: lost.types,
    ...(candidates && { exemplars: lost.exemplars, candidates: candidates.dropped }),
    ...(beside.looksForSpikes && { spike_sites: lost.spikes }),
    ...(goroutines && { goroutines: goroutines.unattributed.no_room ?? 0 }),
    ...(spans && { spans: spans.outside.no_room ?? 0 }),
    ...(following && { followed_spans: following.lost.no_room ?? 0 }),
  };
}

/** How often each name was counted, as estimates take it. */
export function lookupCounts(counts: ReadonlyMap<AggregateName, number>): LookupCount[] {
  return [...counts].map(([{ key }, lookups]) => ({ key, lookups }));
}

/** All numbers together. */
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
