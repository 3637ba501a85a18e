import { COUNT_BOUNDS, distribution } from './buckets.ts';
import type { Distribution, GoroutineCost, GoroutineCosts, LookupCost } from './snapshot.ts';

/** No lookups. */
export function noCost(): LookupCost {
  return {
    lookups: 0,
    hits: 0,
    probeLength: distribution(COUNT_BOUNDS),
    keyComparisons: distribution(COUNT_BOUNDS),
  };
}

/** All together, as a new object. */
export function sumOfCosts(costs: Iterable<LookupCost>): LookupCost {
  const sum = noCost();
  for (const cost of costs) {
    sum.lookups += cost.lookups;
    sum.hits += cost.hits;
    addTo(sum.probeLength, cost.probeLength);
    addTo(sum.keyComparisons, cost.keyComparisons);
  }
  return sum;
}

function addTo(sum: Distribution, { counts, sum: more, max }: Distribution): void {
  for (let i = 0; i < sum.counts.length; i++) sum.counts[i] = (sum.counts[i] ?? 0) + (counts[i] ?? 0);
  sum.sum += more;
  sum.max = Math.max(sum.max, max);
}

/** `whole` without `part`, which it contains. The maximum stays: it may have been that of either. */
export function subtractCost(whole: LookupCost, part: LookupCost): LookupCost {
  return {
    lookups: whole.lookups - part.lookups,
    hits: whole.hits - part.hits,
    probeLength: subtract(whole.probeLength, part.probeLength),
    keyComparisons: subtract(whole.keyComparisons, part.keyComparisons),
  };
}

function subtract(whole: Distribution, part: Distribution): Distribution {
  return {
    bounds: whole.bounds,
    counts: whole.counts.map((count, index) => count - (part.counts[index] ?? 0)),
    sum: whole.sum - part.sum,
    max: whole.max,
  };
}

/** The `most` goroutines with the most lookups, heaviest first, and the rest in one. */
export function heaviestGoroutines(
  { kept, other }: GoroutineCosts,
  most: number,
): { heaviest: GoroutineCost[]; other: LookupCost } {
  const sorted = [...kept].sort((a, b) => b.lookups - a.lookups || a.goroutine - b.goroutine);
  return {
    heaviest: sorted.slice(0, most),
    other: sumOfCosts([other, ...sorted.slice(most)]),
  };
}
