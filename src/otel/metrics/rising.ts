import type { Distribution } from '../../model/distribution.ts';

/**
 * Makes good the promise of counters and histograms: what was told once never falls. Counts do not fall by themselves, but when a
 * lookup function is found to be decoded wrongly, its lookups are taken out of results, and a receiver would take the fall for a
 * restart and count all again. Such a series keeps what it has told until it is passed.
 */
export class RisingCounts {
  readonly #numbers = new Map<string, number>();
  readonly #distributions = new Map<string, Distribution>();
  readonly #held = new Set<string>();

  /** Series that would have fallen so far. */
  get held(): number {
    return this.#held.size;
  }

  number(id: string, value: number): number {
    const risen = this.#higher(id, value, this.#numbers.get(id) ?? 0);
    this.#numbers.set(id, risen);
    return risen;
  }

  /** A copy, because whoever made the snapshot may count on in place. */
  distribution(id: string, value: Distribution): Distribution {
    const before = this.#distributions.get(id);
    const risen = {
      bounds: value.bounds,
      counts: value.counts.map((count, i) => this.#higher(id, count, before?.counts[i] ?? 0)),
      sum: Math.max(value.sum, before?.sum ?? 0),
      max: Math.max(value.max, before?.max ?? 0),
    };
    this.#distributions.set(id, risen);
    return risen;
  }

  #higher(id: string, value: number, before: number): number {
    if (value < before) {
      this.#held.add(id);
    }
    return Math.max(value, before);
  }
}
