import type { Spike, SpikeTotals } from '../../src/model/spike.ts';
import { candidate } from './candidates.ts';

/** A spike at the call site of the fixtures: nine groups and 70 comparisons in a map of 100 entries. */
export function spike(overrides: Partial<Spike> = {}): Spike {
  return {
    ...candidate({ probeLength: 9, keyComparisons: 70 }),
    probeLengthLimit: 32,
    keyComparisonsLimit: 33,
    suppressed: 0,
    map: {
      entries: 100,
      buckets: 16,
      homeBucket: 5,
      slots: 128,
      usedSlots: 99,
      overflowBuckets: 0,
      tombstones: 3,
      growing: false,
    },
    ...overrides,
  };
}

/** Seven spikes, of which one log record was accepted and one given up. */
export function spikeTotals(overrides: Partial<SpikeTotals> = {}): SpikeTotals {
  return {
    threshold: { limit: 32 },
    seen: 7,
    delivered: 1,
    suppressed: { rate_limit: 5, no_memory: 0, not_delivered: 1 },
    latest: [spike()],
    ...overrides,
  };
}
