import { COUNT_BOUNDS, distribution, record } from '../../src/model/buckets.ts';
import type { CostIncrease } from '../../src/model/heavy/heaviest.ts';
import type { GoroutineCost } from '../../src/model/snapshot.ts';

/** Some lookups of one goroutine, all of one probe length, half of them hits. */
export function increase(goroutine: number, lookups: number, probes = 1): CostIncrease {
  const probeLength = distribution(COUNT_BOUNDS);
  record(probeLength, probes, lookups);
  const keyComparisons = distribution(COUNT_BOUNDS);
  record(keyComparisons, 0, lookups);
  return {
    goroutine,
    parentGoroutine: 1,
    lookups,
    hits: Math.floor(lookups / 2),
    probeLength,
    keyComparisons,
  };
}

/** All that a goroutine has done. */
export function goroutineCost(goroutine: number, lookups: number, missingAtMost = 0): GoroutineCost {
  return { ...increase(goroutine, lookups), missingAtMost };
}
