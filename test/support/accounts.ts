import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { unaccounted } from '../../src/model/accounts.ts';
import type { ObservationMode, Snapshot } from '../../src/model/snapshot.ts';
import type { Observation } from '../../src/observe/observation.ts';
import { type Summary, summarySchema } from '../../src/report/summary/schema.ts';

/** Lookups that may be between two probe sites when windows, or the observation, begin or end. */
function mostAtEdges(windows: number): number {
  return 2 * availableParallelism() * Math.max(1, windows);
}

/** What holds at the end of every observation: each hit has one outcome, and what was deferred was seen later. */
function assertAccounted(end: Snapshot): void {
  const { deferred, resumed, windows } = end;
  assert.equal(unaccounted(end), 0, 'every hit of a probe site has one outcome');
  const unmatched = Math.abs(deferred - resumed);
  assert.ok(unmatched <= mostAtEdges(windows), `${deferred} lookups deferred, ${resumed} seen later`);
}

/** Ends an observation, of which the above holds. */
export async function endOf(observation: Observation): Promise<Snapshot> {
  const snapshot = await observation.stop();
  assertAccounted(snapshot);
  return snapshot;
}

/** The same of a report, which is what its schema says; a program observed from its first lookup to its last has no edges. */
export function checkSummary(summary: Summary): Summary {
  const { observed, mode, target } = summarySchema.parse(summary);
  assert.equal(observed.unaccounted, 0, 'every hit of a probe site has one outcome');
  const whole = (mode satisfies ObservationMode) === 'all' && target.exitCode !== null;
  const unmatched = observed.deferred - observed.deferredAndMatched;
  assert.ok(unmatched <= (whole ? 0 : mostAtEdges(observed.windows)), `${unmatched} lookups not seen later`);
  return summary;
}

/** Of all reports in what a command has written. */
export function checkReports(output: string): void {
  const start = output.indexOf('{\n  "schema": "mapscope/summar');
  if (start < 0) {
    return;
  }
  const document = JSON.parse(output.slice(start));
  for (const summary of (document.targets ?? [document]) as Summary[]) {
    checkSummary(summary);
  }
}
