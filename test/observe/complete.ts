import assert from 'node:assert/strict';
import { sumOfCosts } from '../../src/model/heavy/goroutines.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';

/** All goroutines together must be all call sites together, in every bucket, and each lookup have a goroutine. */
export function assertGoroutinesComplete({ goroutines, callSites }: Snapshot): void {
  assert.ok(goroutines);
  const sites = callSites.map(({ lookups, hit, probeLength, keyComparisons }) => ({
    lookups,
    hits: hit ? lookups : 0,
    probeLength,
    keyComparisons,
  }));
  assert.deepEqual(sumOfCosts([...goroutines.kept, goroutines.other]), sumOfCosts(sites));
  assert.equal(goroutines.unattributed.no_goroutine, undefined);
}
