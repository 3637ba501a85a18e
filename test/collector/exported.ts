import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { COUNT_BOUNDS } from '../../src/model/buckets.ts';
import type { ExemplarCandidate } from '../../src/model/candidate.ts';
import type { CallSiteStats } from '../../src/model/snapshot.ts';
import { candidatesOf } from '../export/candidates.ts';
import { startExport, withEnvironment } from '../export/pipeline.ts';
import { callSite, distributionOf, SECOND, START, snapshot } from '../model/fixtures.ts';
import { startCollector } from './collector.ts';
import { type CollectedExemplar, type CollectedExport, metricNamed } from './otlp-json.ts';

export const TEMPORALITY = 'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE';
export const AGGREGATION = 'OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION';

/** Probe lengths of single-valued, wide and unbounded buckets; those of the fixtures are all small. */
export const LENGTHS = [1, 2, 2, 3, 9, 10, 11, 30, 500, 5000];

/** A call site whose lookups had each of these lengths, `times` times, and no comparison the first time. */
export function site(times: number): CallSiteStats {
  const lengths = Array.from({ length: times }, () => LENGTHS).flat();
  const comparisons = lengths.map((_, index) => (index === 0 ? 0 : 1));
  return callSite(lengths.length, {
    probeLength: distributionOf(COUNT_BOUNDS, lengths),
    keyComparisons: distributionOf(COUNT_BOUNDS, comparisons),
  });
}

/** Exports one state after the other, with candidates, to a real collector. */
export async function exported(
  context: TestContext,
  lists: ExemplarCandidate[][],
  environment: Record<string, string> = {},
): Promise<CollectedExport[]> {
  withEnvironment(context, environment);
  const collector = await startCollector(context);
  let reads = 0;
  const { otlp } = startExport(context, {
    endpoint: collector.endpoint,
    candidates: candidatesOf(...lists),
    source: () => snapshot([site(++reads)], { time: START + BigInt(reads) * SECOND }),
  });
  for (const _ of lists) {
    assert.equal((await otlp.flush()).problem, undefined);
  }
  return await collector.until(({ length }) => length === lists.length);
}

interface CollectedPoint {
  startTimeUnixNano: bigint;
  timeUnixNano: bigint;
  exemplars: CollectedExemplar[];
}

/** The first point of a histogram, whichever form it has. */
export function pointOf(one: CollectedExport | undefined, name: string): CollectedPoint | undefined {
  const metric = metricNamed(one, name);
  return metric?.histogram?.dataPoints[0] ?? metric?.exponentialHistogram?.dataPoints[0];
}
