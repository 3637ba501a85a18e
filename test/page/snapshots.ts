import fc from 'fast-check';
import { COUNT_BOUNDS, distribution, RATIO_BOUNDS, record } from '../../src/model/buckets.ts';
import type { CallSiteStats, Snapshot } from '../../src/model/snapshot.ts';
import { callSite, SECOND, START, snapshot } from '../model/fixtures.ts';

/** Some lookups of one call site. */
export interface Lookups {
  readonly site: number;
  readonly hit: boolean;
  readonly probeLength: number;
  readonly keyComparisons: number;
  readonly times: number;
}

/** What happens between two snapshots. */
export interface Step {
  readonly lookups: readonly Lookups[];
  /** Whether a window was open. */
  readonly window: boolean;
}

const lookups: fc.Arbitrary<Lookups> = fc.record({
  site: fc.nat(5),
  hit: fc.boolean(),
  probeLength: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 2000 })),
  keyComparisons: fc.integer({ min: 0, max: 40 }),
  times: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 10_000_000 })),
});

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ lookups: fc.array(lookups, { minLength: 1, maxLength: 6 }), window: fc.constant(true) }),
    fc.record({ lookups: fc.constant([]), window: fc.boolean() }),
  ),
  { minLength: 1, maxLength: 40 },
);

/** Snapshots of an observation in which all of that happens, a second after the other. */
export class Observed {
  readonly #sites = new Map<string, CallSiteStats>();
  #windows = 0;
  #time = START;

  step({ lookups: made, window }: Step): Snapshot {
    for (const one of made) {
      this.#count(one);
    }
    this.#windows += Number(window);
    this.#time += SECOND;
    const sites = [...this.#sites.values()].map((site) => structuredClone(site));
    return snapshot(sites, {
      time: this.#time,
      windows: this.#windows,
      attachedSeconds: this.#windows * 0.003,
      seconds: Number(this.#time - START) / 1e9,
    });
  }

  #count({ site, hit, probeLength, keyComparisons, times }: Lookups): void {
    const key = `${site} ${hit}`;
    let stats = this.#sites.get(key);
    if (stats === undefined) {
      stats = callSite(0, {
        callSite: {
          function: `example.com/shop/p${site % 2}.Find${site}`,
          file: `/src/p/find${site}.go`,
          line: 10 + site,
        },
        type: site % 3 === 0 ? 'map[string]int' : `map[int]p.T${site}`,
        hit,
        estimatedLookups: 0,
        probeLength: distribution(COUNT_BOUNDS),
        keyComparisons: distribution(COUNT_BOUNDS),
        homePosition: distribution(RATIO_BOUNDS),
        loadFactor: distribution(RATIO_BOUNDS),
      });
      this.#sites.set(key, stats);
    }
    stats.lookups += times;
    stats.estimatedLookups += times * 3.21;
    record(stats.probeLength, probeLength, times);
    record(stats.keyComparisons, keyComparisons, times);
    record(stats.homePosition, ((probeLength * 7) % 10) / 10, times);
    record(stats.loadFactor, 0.1 + ((keyComparisons * 3) % 9) / 10, times);
    const entries = 100 * probeLength;
    stats.latest = { ...stats.latest, entries };
  }
}
