import type { ExemplarCandidate } from './candidate.ts';

/** What makes a lookup a spike: more buckets, groups or key comparisons than a number, or than a multiple of its site's mean. */
export type SpikeThreshold = { readonly limit: number } | { readonly factor: number };

/** A lookup that passed the threshold, told in full, with the state of the map at that moment. */
export interface Spike extends ExemplarCandidate {
  /** The most that would not have been a spike. */
  probeLengthLimit: number;
  keyComparisonsLimit: number;
  map: SpikeMap;
  /** Spikes of the same call site, type and result that are told by no record: those since the record before. */
  suppressed: number;
}

/** The map that a spike looked into, as it was then. Swiss: of the table visited, except for `entries`. */
export interface SpikeMap {
  entries: number;
  /** Classic: without overflow buckets. Swiss: groups. */
  buckets: number;
  /** Entries divided by slots. */
  loadFactor: number;
  /** Where the hash sent the key: home bucket or group divided by their number. */
  homePosition: number;
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
  /** Those that are told by no record, by reason. */
  suppressed: { rate_limit: number; no_memory: number };
  /** The newest of those that are told, newest first. */
  latest: readonly Spike[];
}

/** Where spikes come from. */
export interface SpikeSource {
  /** Hands out the spikes since the last call. */
  drainSpikes(): Spike[];
}
