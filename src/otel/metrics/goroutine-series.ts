import { subtractCost, sumOfCosts } from '../../model/heavy/goroutines.ts';
import type { GoroutineCost, GoroutineCosts, LookupCost } from '../../model/snapshot.ts';

/** Most goroutines that get series while one count lasts, however many there are. */
const MOST_SERIES_EVER = 1000;

/** The series of one goroutine, with its cost from `since` on, which never falls. */
export interface GoroutineSeries {
  goroutine: number;
  parentGoroutine?: number;
  since: bigint;
  cost: LookupCost;
  /** Its cost will not grow any more. */
  ended: boolean;
}

/** The series of goroutines, and the cost of all others. */
export interface SeriesByGoroutine {
  series: readonly GoroutineSeries[];
  other: LookupCost;
  /** Goroutines that should have a series, but the limit for this count is used up. */
  refused: number;
}

interface Kept extends GoroutineSeries {
  /** The goroutine's cost that the series has taken in; undefined if none. */
  upTo: GoroutineCost | undefined;
}

/**
 * Chooses which goroutines have series of their own.
 *
 * Goroutines are ranked by their recent lookups: those since the last update, and those before with half the weight at each
 * update. The first `most` get a series, if one is free. They keep it until they fall behind rank 2 * `most`, or until they
 * have made no lookup for so long that they weigh nothing. So small differences do not make series come and go. After the
 * first ones, only goroutines that are there at two updates get a series: one that lives for a request is not worth it.
 *
 * A series starts at the update before, because `other` has counted everything up to then. A goroutine that gets its series
 * back goes on where it stopped. So every lookup is counted once, and neither a series nor `other` ever falls.
 */
export class GoroutineSeriesChoice {
  readonly #most: number;
  readonly #mostEver: number;
  readonly #series = new Map<number, Kept>();
  /** Weight of recent lookups, by goroutine. */
  #weights = new Map<number, number>();
  #before = new Map<number, GoroutineCost>();
  #time: bigint;

  /** @param startTime when counting began */
  constructor(most: number, startTime: bigint, mostEver = MOST_SERIES_EVER) {
    this.#most = most;
    this.#time = startTime;
    this.#mostEver = mostEver;
  }

  /** Takes the costs at one moment. Call it once per export. */
  update(costs: GoroutineCosts, time: bigint): SeriesByGoroutine {
    const now = new Map(costs.kept.map((cost) => [cost.goroutine, cost]));
    const ranked = this.#rank(costs.kept);
    const staying = new Set(ranked.slice(0, 2 * this.#most));
    for (const series of this.#series.values()) {
      const cost = now.get(series.goroutine);
      if (series.ended) {
        continue;
      }
      // If it was given up in between, its numbers have started over.
      if (cost === undefined || !continues(series.upTo, cost) || !staying.has(series.goroutine)) {
        series.ended = true;
      } else {
        advance(series, cost);
      }
    }
    const refused = this.#admit(ranked.slice(0, this.#most), now);
    this.#before = now;
    this.#time = time;
    const series = [...this.#series.values()];
    const whole = sumOfCosts([...costs.kept, costs.other]);
    return { series, other: subtractCost(whole, sumOfCosts(series.map(({ cost }) => cost))), refused };
  }

  /** Goroutines in order of weight, without those that have none. */
  #rank(kept: readonly GoroutineCost[]): number[] {
    const weights = new Map<number, number>();
    for (const cost of kept) {
      const before = this.#before.get(cost.goroutine);
      const increase = cost.lookups - (continues(before, cost) ? (before?.lookups ?? 0) : 0);
      const weight = (this.#weights.get(cost.goroutine) ?? 0) / 2 + increase;
      if (weight >= 1) {
        weights.set(cost.goroutine, weight);
      }
    }
    this.#weights = weights;
    return [...weights].sort(([a, one], [b, other]) => other - one || a - b).map(([goroutine]) => goroutine);
  }

  /** Gives free series to the heaviest goroutines without one. @returns how many can never get one */
  #admit(heaviest: readonly number[], now: ReadonlyMap<number, GoroutineCost>): number {
    const first = this.#series.size === 0;
    let free = this.#most - [...this.#series.values()].filter(({ ended }) => !ended).length;
    let refused = 0;
    for (const goroutine of heaviest) {
      const cost = now.get(goroutine);
      const series = this.#series.get(goroutine);
      const before = this.#before.get(goroutine);
      const upTo = continues(before, cost) ? before : undefined;
      if (cost === undefined || series?.ended === false || free === 0) {
        continue;
      }
      if (!first && upTo === undefined) {
        continue;
      }
      if (series === undefined && this.#series.size >= this.#mostEver) {
        refused++;
        continue;
      }
      const begun = series ?? { ...identity(cost), since: this.#time, cost: sumOfCosts([]) };
      const kept = { ...begun, ended: false, upTo };
      advance(kept, cost);
      this.#series.set(goroutine, kept);
      free--;
    }
    return refused;
  }
}

function identity({
  goroutine,
  parentGoroutine,
}: GoroutineCost): Pick<Kept, 'goroutine' | 'parentGoroutine'> {
  return { goroutine, ...(parentGoroutine !== undefined && { parentGoroutine }) };
}

/** Whether `now` continues `before`. It does not if the goroutine was given up in between: then more may be missing. */
function continues(before: GoroutineCost | undefined, now: GoroutineCost | undefined): boolean {
  return before !== undefined && now !== undefined && before.missingAtMost === now.missingAtMost;
}

function advance(series: Kept, to: GoroutineCost): void {
  const increase = series.upTo === undefined ? to : subtractCost(to, series.upTo);
  series.cost = sumOfCosts([series.cost, increase]);
  series.upTo = to;
}
