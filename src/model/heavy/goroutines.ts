import { COUNT_BOUNDS, distribution, subtractDistribution } from '../buckets.ts';
import type { Distribution } from '../distribution.ts';
import type { GoroutineCost, GoroutineCosts, LookupCost } from '../snapshot.ts';

/** Goroutines that may have series of their own at a time, at most. */
export const MOST_GOROUTINE_SERIES = 100;

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
  for (let i = 0; i < sum.counts.length; i++) {
    sum.counts[i] = (sum.counts[i] ?? 0) + (counts[i] ?? 0);
  }
  sum.sum += more;
  sum.max = Math.max(sum.max, max);
}

/** `whole` without `part`, which it contains. Maxima stay. */
export function subtractCost(whole: LookupCost, part: LookupCost): LookupCost {
  return {
    lookups: whole.lookups - part.lookups,
    hits: whole.hits - part.hits,
    probeLength: subtractDistribution(whole.probeLength, part.probeLength),
    keyComparisons: subtractDistribution(whole.keyComparisons, part.keyComparisons),
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
