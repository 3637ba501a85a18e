import type { Distribution } from '../../model/distribution.ts';

/** Values by metric, and by the key of a series: the metrics of a series share the text of its key. */
export class ValuesBySeries<T> {
  readonly #metrics = new Map<string, Map<string, T>>();

  get(metric: string, key: string): T | undefined {
    return this.#metrics.get(metric)?.get(key);
  }

  set(metric: string, key: string, value: T): void {
    const values = this.#metrics.get(metric) ?? new Map<string, T>();
    this.#metrics.set(metric, values);
    values.set(key, value);
  }

  /** The series is not sent any more. */
  forget(key: string): void {
    for (const values of this.#metrics.values()) {
      values.delete(key);
    }
  }
}

/**
 * Makes good the promise of counters and histograms: what was told once never falls. Counts do not fall by themselves, but when a
 * lookup function is found to be decoded wrongly, its lookups are taken out of results, and a receiver would take the fall for a
 * restart and count all again. Such a series keeps what it has told until it is passed.
 */
export class RisingCounts {
  readonly #numbers = new ValuesBySeries<number>();
  readonly #distributions = new ValuesBySeries<Distribution>();
  readonly #held = new Set<string>();

  /** Series that would have fallen so far. */
  get held(): number {
    return this.#held.size;
  }

  number(metric: string, key: string, value: number): number {
    const before = this.#numbers.get(metric, key) ?? 0;
    const risen = Math.max(value, before);
    if (value < before) {
      this.#hold(metric, key);
    }
    this.#numbers.set(metric, key, risen);
    return risen;
  }

  /** Whoever makes snapshots must not count on in their distributions. */
  distribution(metric: string, key: string, value: Distribution): Distribution {
    const before = this.#distributions.get(metric, key);
    const falls =
      before !== undefined &&
      (value.sum < before.sum || value.counts.some((count, i) => count < (before.counts[i] ?? 0)));
    const risen = falls
      ? {
          bounds: value.bounds,
          counts: value.counts.map((count, i) => Math.max(count, before.counts[i] ?? 0)),
          sum: Math.max(value.sum, before.sum),
          max: Math.max(value.max, before.max),
        }
      : value;
    if (falls) {
      this.#hold(metric, key);
    }
    this.#distributions.set(metric, key, risen);
    return risen;
  }

  /** The series is not sent any more. */
  forget(key: string): void {
    this.#numbers.forget(key);
    this.#distributions.forget(key);
  }

  #hold(metric: string, key: string): void {
    this.#held.add(`${metric} ${key}`);
  }
}
