import type { GoroutineCost, GoroutineCosts, LookupCost } from '../snapshot.ts';
import { noCost, sumOfCosts } from './goroutines.ts';
import { UpperCounts } from './upper-counts.ts';

/** Goroutines that are kept. */
const DEFAULT_ROOM = 1024;

/** What one goroutine's lookups cost since it was last read. */
export type CostIncrease = Omit<GoroutineCost, 'missingAtMost'>;

/**
 * Keeps the goroutines with the most lookups, in bounded memory, although there may be any number.
 *
 * When there are too many, those with the fewest lookups go to `other`; how many lookups that makes, at most, of each
 * goroutine is remembered in a sketch. A goroutine that comes (back) therefore has true lookups between `lookups` and
 * `lookups + missingAtMost`, and it is by this upper limit that goroutines stay or go. So:
 *
 * - Each lookup counts once, for a goroutine that is kept or in `other`.
 * - A goroutine that is not kept has made at most as many lookups as the least upper limit of those kept.
 */
export class HeaviestGoroutines {
  readonly #room: number;
  readonly #kept = new Map<number, GoroutineCost>();
  readonly #evicted = new UpperCounts();
  #other = noCost();
  #unattributed: Record<string, number> = {};

  constructor(room = DEFAULT_ROOM) {
    this.#room = room;
  }

  get costs(): GoroutineCosts {
    return { kept: [...this.#kept.values()], other: this.#other, unattributed: this.#unattributed };
  }

  /** Counts further lookups of goroutines. */
  add(increases: readonly CostIncrease[]): void {
    for (const increase of increases) {
      this.#count(increase);
    }
    const tooMany = this.#kept.size - this.#room;
    if (tooMany <= 0) {
      return;
    }
    // Of equals those that came last go: sorting is stable.
    const lightest = [...this.#kept.values()].reverse().sort((a, b) => upperLimit(a) - upperLimit(b));
    this.#evict(lightest.slice(0, tooMany));
  }

  /** Counts further lookups that could not be counted for a goroutine. */
  addUnattributed(reason: string, increase: LookupCost): void {
    if (increase.lookups === 0) {
      return;
    }
    this.#other = sumOfCosts([this.#other, increase]);
    this.#unattributed = {
      ...this.#unattributed,
      [reason]: (this.#unattributed[reason] ?? 0) + increase.lookups,
    };
  }

  #count(increase: CostIncrease): void {
    const before = this.#kept.get(increase.goroutine);
    this.#kept.set(
      increase.goroutine,
      before === undefined
        ? { ...increase, missingAtMost: this.#evicted.atMost(increase.goroutine) }
        : { ...before, ...sumOfCosts([before, increase]) },
    );
  }

  #evict(lightest: readonly GoroutineCost[]): void {
    for (const { goroutine, lookups } of lightest) {
      this.#kept.delete(goroutine);
      this.#evicted.add(goroutine, lookups);
    }
    this.#other = sumOfCosts([this.#other, ...lightest]);
  }
}

function upperLimit({ lookups, missingAtMost }: GoroutineCost): number {
  return lookups + missingAtMost;
}
