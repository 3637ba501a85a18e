import type { ExemplarCandidate } from './candidate.ts';

/** What makes a lookup a spike: more buckets, groups or key comparisons than a number, or than a multiple of its site's mean. */
export type SpikeThreshold = { readonly limit: number } | { readonly factor: number };

/** A lookup above the threshold, in full, with the state of the map at that moment. */
export interface Spike extends ExemplarCandidate {
  /** The most that would not have been a spike. */
  probeLengthLimit: number;
  keyComparisonsLimit: number;
  map: SpikeMap;
  /** Spikes of the same call site, type and result that no record reports, since the previous record. */
  suppressed: number;
}

/** The map that a spike looked into, as it was then. Swiss: of the table visited, except for `entries`. */
export interface SpikeMap {
  entries: number;
  /** Classic: without overflow buckets. Swiss: groups. */
  buckets: number;
  /** Number of the home bucket or group, where the hash sent the key. */
  homeBucket: number;
  /** Eight in each bucket or group, without overflow buckets. */
  slots: number;
  /** Entries there; classic: with those in overflow buckets. Divided by the slots they are the load factor. */
  usedSlots: number;
  /** Classic only, else 0. */
  overflowBuckets: number;
  /** Swiss only, else 0. */
  tombstones: number;
  /** The map was moving its entries (classic). */
  growing: boolean;
}

/** What became of the spikes of an observation so far. */
export interface SpikeTotals {
  threshold: SpikeThreshold;
  /** Lookups that passed the threshold. */
  seen: number;
  /** Told to a receiver of log records, which accepted them. */
  delivered: number;
  /** Those not sent as log records, by reason (`rate_limit`, `no_memory`, `not_delivered`). */
  suppressed: Record<string, number>;
  /** The newest of those not suppressed by the rate limit, newest first. */
  latest: readonly Spike[];
}

/** A threshold as it is written in settings: `16` or `8x`. */
export function thresholdText(threshold: SpikeThreshold): string {
  return 'limit' in threshold ? `${threshold.limit}` : `${threshold.factor}x`;
}
