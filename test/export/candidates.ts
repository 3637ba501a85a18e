import assert from 'node:assert/strict';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { CandidateSource, ExemplarCandidate } from '../../src/model/candidate.ts';
import type { CallSiteStats, Snapshot } from '../../src/model/snapshot.ts';
import type { Exemplar, Point } from '../../src/otel/metrics/points.ts';
import type { ProducerOptions } from '../../src/otel/metrics/producer.ts';
import { callSite, SECOND, START, snapshot } from '../model/fixtures.ts';
import { collect, metricOf, producerOf } from './collect.ts';

export const PROBE_LENGTH = 'gomap.lookup.probe_length';
export const KEY_COMPARISONS = 'gomap.lookup.key_comparisons';

/** Ids that are recognised: `traceId(7)` ends in 7. */
export const traceId = (number: number): string => number.toString(16).padStart(32, 'a');
export const spanId = (number: number): string => number.toString(16).padStart(16, 'b');

/**
 * A candidate at the call site of the fixtures: probe length 2 and one comparison, as some of its lookups, half a second
 * after the start, with a sampled span.
 */
export function candidate(overrides: Partial<ExemplarCandidate> = {}): ExemplarCandidate {
  return {
    callSite: callSite(0).callSite,
    type: 'map[string]int',
    hit: true,
    time: START + SECOND / 2n,
    probeLength: 2,
    keyComparisons: 1,
    traceId: traceId(1),
    spanId: spanId(1),
    sampled: true,
    goroutine: 991,
    parentGoroutine: 17,
    ...overrides,
  };
}

/** A candidate without a span context. */
export function untraced(overrides: Partial<ExemplarCandidate> = {}): ExemplarCandidate {
  const { traceId: _trace, spanId: _span, sampled: _sampled, ...rest } = candidate();
  return { ...rest, ...overrides };
}

/** A source that hands out one list per export, then nothing. */
export function candidatesOf(...lists: ExemplarCandidate[][]): CandidateSource {
  return { drainCandidates: () => lists.shift() ?? [] };
}

/** The exemplars of all points of a metric, in order. */
export function exemplarsOf(metrics: ResourceMetrics, name: string): Exemplar[] {
  const points: readonly Point<unknown>[] = metricOf(metrics, name)?.dataPoints ?? [];
  return points.flatMap(({ exemplars }) => exemplars ?? []);
}

/** Value and last digit of the trace id of each exemplar. */
export function briefly(exemplars: readonly Exemplar[]): [number, number | undefined][] {
  return exemplars.map(({ value, traceId: id }) => {
    assert.ok(id === undefined || id.length === 32);
    return [value, id === undefined ? undefined : Number.parseInt(id.slice(-1), 16)];
  });
}

/** A producer that reads one state per second, and gets a list of candidates with each. */
export function observing(
  states: CallSiteStats[][],
  lists: ExemplarCandidate[][],
  options: Partial<ProducerOptions> = {},
  overrides: Partial<Snapshot> = {},
) {
  const snapshots = states.map((sites, index) =>
    snapshot(sites, { time: START + BigInt(index + 1) * SECOND, ...overrides }),
  );
  const candidates = candidatesOf(...lists);
  const producer = producerOf(() => snapshots.shift(), {
    candidates: () => candidates.drainCandidates(),
    ...options,
  });
  return { producer, next: () => collect(producer) };
}
