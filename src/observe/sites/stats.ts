import { COUNT_BOUNDS, distribution, highestBoundInUse, RATIO_BOUNDS } from '../../model/buckets.ts';
import type { Distribution } from '../../model/distribution.ts';
import type { LookupStats } from '../../model/merge.ts';
import { estimateDistinct, mapsAtLeast } from '../../model/sketch.ts';
import type { MapState } from '../../model/snapshot.ts';
import type { Counted } from '../../programs/readers/aggregate.ts';

/** What was counted, with the estimate of how many lookups were made, as the rest of the program sees it. */
export function statsOf(counted: Counted, estimatedLookups: number, largest: MapState): LookupStats {
  return {
    lookups: counted.lookups,
    estimatedLookups,
    probeLength: distribution(
      COUNT_BOUNDS,
      counted.probeLength,
      counted.probeLengthSum,
      counted.probeLengthMax,
    ),
    keyComparisons: distribution(
      COUNT_BOUNDS,
      counted.keyComparisons,
      counted.keyComparisonsSum,
      counted.keyComparisonsMax,
    ),
    homePosition: ratios(counted.homePosition, counted.homePositionSum),
    loadFactor: ratios(counted.loadFactor, counted.loadFactorSum),
    growing: counted.growing,
    inexact: counted.inexact.reduce((sum, n) => sum + n, 0),
    largest,
    largestOfCycle: counted.largest,
    latest: counted.latest,
    mapsAtLeast: mapsAtLeast(counted.mapsSketch),
    estimatedMaps: estimateDistinct(counted.mapsSketch),
    mapsSketch: counted.mapsSketch,
  };
}

function ratios(counts: number[], sum: number): Distribution {
  return distribution(RATIO_BOUNDS, counts, sum, highestBoundInUse(RATIO_BOUNDS, counts));
}
