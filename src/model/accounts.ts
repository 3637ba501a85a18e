import type { Snapshot } from './snapshot.ts';

/** What became of hits, as far as their sum goes. */
export type HitOutcomes = Pick<
  Snapshot,
  'hits' | 'observed' | 'deferred' | 'resumed' | 'unreadable' | 'dropped' | 'empty' | 'leftOut' | 'notDecoded'
>;

/**
 * Hits of probe sites for which no outcome was counted: 0, or something is wrong with the numbers. In a snapshot of a
 * running observation, hits that are under way while it is read count here as well, in either direction.
 */
export function unaccounted(hits: HitOutcomes): number {
  const { observed, deferred, unreadable, dropped, empty, leftOut, notDecoded } = hits;
  const lost = totalOf(unreadable) + totalOf(dropped);
  return hits.hits - (observed + deferred + lost + empty + leftOut + notDecoded);
}

/** Lookups counted, by what became of all other hits. Of a running observation, with hits that are under way. */
export function observedOf(hits: Omit<HitOutcomes, 'observed'>): number {
  return Math.max(0, unaccounted({ ...hits, observed: 0 }));
}

/**
 * Deferred hits whose lookup a later site has seen. Others are lost, which only the edges of a window explain; there it may
 * also happen that a later site sees a lookup that had not been deferred, because nobody saw its beginning.
 */
export function deferredAndMatched({ deferred, resumed }: HitOutcomes): number {
  return Math.min(deferred, resumed);
}

/** Sum of the counts of all reasons. */
export function totalOf(byReason: Readonly<Record<string, number>>): number {
  return Object.values(byReason).reduce((sum, count) => sum + count, 0);
}
