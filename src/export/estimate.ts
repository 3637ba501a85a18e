import type { Snapshot } from '../model/snapshot.ts';
import type { Series } from './series.ts';

/**
 * Estimates how many lookups were really made from those seen in windows: each increase of the sampled count is scaled
 * by the time that passed over the time attached in the same interval. Adding up scaled increases, and not scaling the
 * total, keeps the estimate from ever falling when the share of time in windows changes.
 */
export class LookupEstimate {
  readonly #series = new Map<string, { lookups: number; estimated: number }>();
  #seconds = 0;
  #attachedSeconds = 0;
  #scale = 1;

  /** Takes the series of a snapshot and returns the estimate of each, by series key. Call once per snapshot. */
  update(snapshot: Snapshot, series: readonly Series[]): ReadonlyMap<string, number> {
    const attached = snapshot.attachedSeconds - this.#attachedSeconds;
    const scale = (snapshot.seconds - this.#seconds) / attached;
    // An interval too short to divide by is made part of the next.
    if (attached > 0 && Number.isFinite(scale)) {
      this.#scale = Math.max(1, scale);
      this.#seconds = snapshot.seconds;
      this.#attachedSeconds = snapshot.attachedSeconds;
    }
    const estimates = new Map<string, number>();
    for (const { key, stats } of series) {
      const before = this.#series.get(key) ?? { lookups: 0, estimated: 0 };
      const estimated = before.estimated + (stats.lookups - before.lookups) * this.#scale;
      this.#series.set(key, { lookups: stats.lookups, estimated });
      estimates.set(key, estimated);
    }
    return estimates;
  }
}
