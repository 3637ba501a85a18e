import type { LookupCount } from '../../programs/readers/aggregate.ts';

/** Hits decoded so far, and how many were made. */
export interface Sampled {
  readonly decoded: number;
  readonly estimated: number;
}

/**
 * Estimates for each aggregate how many lookups were really made: each increase of its count is scaled as the windows of
 * the same interval say. Adding up scaled increases, and not scaling the total, follows a load that changes, and keeps
 * the estimate from ever falling.
 */
export class LookupEstimates {
  readonly #known = new Map<string, { lookups: number; estimated: number }>();
  #sampled: Sampled = { decoded: 0, estimated: 0 };
  #scale = 1;

  /** Takes in the counts of all aggregates, with the windows that they were counted in. Call once for each reading. */
  update(counts: readonly LookupCount[], sampled: Sampled): void {
    const decoded = sampled.decoded - this.#sampled.decoded;
    if (decoded > 0) {
      this.#scale = Math.max(1, (sampled.estimated - this.#sampled.estimated) / decoded);
      this.#sampled = sampled;
    }
    for (const { key, lookups } of counts) {
      const before = this.#known.get(key) ?? { lookups: 0, estimated: 0 };
      const estimated = before.estimated + (lookups - before.lookups) * this.#scale;
      this.#known.set(key, { lookups, estimated });
    }
  }

  /** Some of the lookups of one name count under another one from now on. */
  move(lookups: number, from: Pick<LookupCount, 'key'>, to: Pick<LookupCount, 'key'>): void {
    const before = this.#known.get(from.key);
    if (before === undefined || before.lookups === 0) {
      return;
    }
    const estimated = before.estimated * (lookups / before.lookups);
    this.#add(from, -lookups, -estimated);
    this.#add(to, lookups, estimated);
  }

  /** The name is gone. */
  forget({ key }: Pick<LookupCount, 'key'>): void {
    this.#known.delete(key);
  }

  #add({ key }: Pick<LookupCount, 'key'>, lookups: number, estimated: number): void {
    const before = this.#known.get(key) ?? { lookups: 0, estimated: 0 };
    this.#known.set(key, {
      lookups: before.lookups + lookups,
      estimated: before.estimated + estimated,
    });
  }

  /** Lookups that the aggregate's name would have counted, had the windows been open all the time. */
  of({ key }: Pick<LookupCount, 'key'>): number {
    return this.#known.get(key)?.estimated ?? 0;
  }
}
