/*
 * The metric contract: every metric that mapscope exports, by family. The producer builds its data from these entries,
 * instruments are made from them, and docs/metrics.md is generated from them (`npm run docs`).
 */
import type { MetricContract } from './metric.ts';
import { EXPORT_METRICS, HIT_METRICS, OVERHEAD_METRICS } from './self-metrics.ts';

export { ATTRIBUTES, EXEMPLAR_ATTRIBUTES } from './attribute-names.ts';
export { GOROUTINE_METRICS } from './goroutine-metrics.ts';
export { MAP_METRICS } from './map-metrics.ts';
export type { MetricContract } from './metric.ts';
export { FOLLOWING_METRICS, SPIKE_METRICS } from './trace-metrics.ts';

/** The sidecar's account of its own work. */
export const SELF_METRICS = { ...HIT_METRICS, ...OVERHEAD_METRICS, ...EXPORT_METRICS };

/** Instrumentation scopes: facts about the target, and the sidecar's own telemetry. */
export const SCOPES = { maps: 'mapscope', self: 'mapscope.self' } as const;

/** The metrics of one target: those that have a meaning for its implementation of maps. */
export function appliesTo(contract: MetricContract, implementation: 'classic' | 'swiss'): boolean {
  return contract.only === undefined || contract.only === implementation;
}
