import { unaccounted } from '../../src/model/accounts.ts';
import { COUNT_BOUNDS, distribution, RATIO_BOUNDS, record } from '../../src/model/buckets.ts';
import type { Distribution } from '../../src/model/distribution.ts';
import type { Following } from '../../src/model/following.ts';
import type { CallSiteStats, Snapshot } from '../../src/model/snapshot.ts';
import type { Target } from '../../src/model/target.ts';

/** 2026-09-21T14:13:20Z */
export const START = 1_790_000_000_000_000_000n;
export const SECOND = 1_000_000_000n;

/** A distribution of given values. */
export function distributionOf(bounds: readonly number[], values: readonly number[]): Distribution {
  const result = distribution(bounds);
  for (const value of values) {
    record(result, value);
  }
  return result;
}

/** A call site with `lookups` lookups: probe lengths 1, 2, 3, 1, 2, ..., one comparison each, load 0.5. */
export function callSite(lookups: number, overrides: Partial<CallSiteStats> = {}): CallSiteStats {
  const each = Array.from({ length: lookups }, (_, index) => index);
  return {
    callSite: { function: 'example.com/shop/cart.(*Store).Find', file: '/src/shop/cart/store.go', line: 42 },
    variant: 'mapaccess2_faststr',
    type: 'map[string]int',
    hit: true,
    lookups,
    estimatedLookups: 2 * lookups,
    probeLength: distributionOf(
      COUNT_BOUNDS,
      each.map((index) => 1 + (index % 3)),
    ),
    keyComparisons: distributionOf(
      COUNT_BOUNDS,
      each.map(() => 1),
    ),
    homePosition: distributionOf(
      RATIO_BOUNDS,
      each.map((index) => (index % 10) / 10),
    ),
    loadFactor: distributionOf(
      RATIO_BOUNDS,
      each.map(() => 0.5),
    ),
    growing: 0,
    inexact: 0,
    largest: { seenAt: 1, entries: 100, buckets: 16, overflowBuckets: 0, tombstones: 3, directory: 0 },
    largestOfCycle: { seenAt: 1, entries: 95, buckets: 16, overflowBuckets: 0, tombstones: 4, directory: 0 },
    latest: { seenAt: 1, entries: 90, buckets: 16, overflowBuckets: 0, tombstones: 5, directory: 1 },
    mapsAtLeast: 1,
    estimatedMaps: 1,
    ...overrides,
  };
}

/** A snapshot of the given call sites, one second after the start of the count. */
export function snapshot(callSites: CallSiteStats[], overrides: Partial<Snapshot> = {}): Snapshot {
  const all = [...callSites, ...(overrides.others ?? [])];
  const lookups = all.reduce((sum, one) => sum + one.lookups, 0);
  const hits = all.reduce((sum, one) => sum + (one.hit ? one.lookups : 0), 0);
  const made: Snapshot = {
    time: START + SECOND,
    startTime: START,
    callSites,
    others: [],
    otherSites: 0,
    fullTables: { call_sites: 0 },
    hits: lookups + 3,
    observed: lookups,
    deferred: 2,
    resumed: 2,
    empty: 0,
    leftOut: 0,
    unreadable: { stack: 1 },
    dropped: {},
    inexact: {},
    notDecoded: 0,
    windows: 1,
    attachedSeconds: 1,
    seconds: 1,
    overhead: {
      budget: 0.01,
      measured: true,
      trapSeconds: 6e-7,
      decodeSeconds: 5e-7,
      margin: 0.2,
      hits: lookups + 3,
      decodedHits: lookups + 3,
      otherHits: 0,
      costSeconds: 0.001,
      targetCpuSeconds: 0.5,
      fullWindows: 0,
      stops: 0,
      relativeError: 0.1,
      underestimate: 0.02,
    },
    functions: [
      {
        name: 'mapaccess2_faststr',
        lookups,
        estimatedLookups: 2 * lookups,
        hits,
        misses: lookups - hits,
        sites: 2,
      },
    ],
    refused: [],
    ...overrides,
  };
  // Every hit has an outcome, unless a test wants it otherwise.
  return { ...made, hits: overrides.hits ?? made.hits - unaccounted(made) };
}

export const TARGET: Target = {
  pid: 4711,
  exe: '/opt/shop/bin/shop',
  goVersion: 'go1.26.1',
  mapImplementation: 'swiss',
  stripped: false,
  exitCode: null,
  signal: null,
  key: 'b007/pid:[4026531836]/4711/1234',
  ownPid: 4711,
};

/** How spans are followed, with a loss of each kind. */
export function following(): Following {
  return {
    sources: ['sdk', 'goroutines'],
    refused: [],
    events: { spanStart: 10, spanEnd: 9, goroutineStart: 30 },
    lost: { unreadable: 1, no_room: 2, unknown_span: 3 },
  };
}
