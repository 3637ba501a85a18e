import { subtractCost, sumOfCosts } from '../model/goroutines.ts';
import type { GoroutineCost, GoroutineCosts, LookupCost } from '../model/snapshot.ts';

/** Goroutines that may have series of their own at a time, at most. */
export const MOST_GOROUTINE_SERIES = 100;

/** Goroutines that get series in the life of a count, at most, however many of them there are. */
const MOST_SERIES_EVER = 1000;

/** What the series of one goroutine tells, from `since` on. It never falls. */
export interface GoroutineSeries {
  goroutine: number;
  parentGoroutine?: number;
  since: bigint;
  told: LookupCost;
  /** It tells nothing new any more. */
  ended: boolean;
}

/** The series of goroutines, and what is in none of them. */
export interface SeriesByGoroutine {
  series: readonly GoroutineSeries[];
  other: LookupCost;
  /** Goroutines that should have a series, but there have been as many as there may ever be. */
  refused: number;
}

interface Kept extends GoroutineSeries {
  /** The cost up to which `told` goes; undefined: none of it. */
  upTo: GoroutineCost | undefined;
}

/**
 * Chooses which goroutines have series of their own.
 *
 * Goroutines are ranked by their lookups of late: those since the last update, and with half the weight at each update
 * those before. The first `most` get a series, if one is free, and keep it until they fall behind rank 2 * `most` or have
 * made none for so long that they weigh nothing. So series do not come and go with small differences. Beyond the first
 * ones only goroutines get a series that are there at two updates: one that lives for a request is not worth it.
 *
 * A series begins at the update before, for what was told until then is in `other`; a goroutine that gets its series back
 * goes on where it stopped. So every lookup is told once, and neither a series nor `other` ever falls.
 */
export class GoroutineSeriesChoice {
  readonly #most: number;
  readonly #mostEver: number;
  readonly #series = new Map<number, Kept>();
  /** Lookups of late, by goroutine. */
  #weights = new Map<number, number>();
  #before = new Map<number, GoroutineCost>();
  #time: bigint;

  /** @param startTime when counting began */
  constructor(most: number, startTime: bigint, mostEver = MOST_SERIES_EVER) {
    this.#most = most;
    this.#time = startTime;
    this.#mostEver = mostEver;
  }

  /** Takes the costs at a moment. Call once per export. */
  update(costs: GoroutineCosts, time: bigint): SeriesByGoroutine {
    const now = new Map(costs.kept.map((cost) => [cost.goroutine, cost]));
    const ranked = this.#rank(costs.kept);
    const staying = new Set(ranked.slice(0, 2 * this.#most));
    for (const series of this.#series.values()) {
      const cost = now.get(series.goroutine);
      if (series.ended) continue;
      // Its numbers have begun anew when it was among the light ones meanwhile.
      if (cost === undefined || !continues(series.upTo, cost) || !staying.has(series.goroutine))
        series.ended = true;
      else advance(series, cost);
    }
    const refused = this.#admit(ranked.slice(0, this.#most), now);
    this.#before = now;
    this.#time = time;
    const series = [...this.#series.values()];
    const whole = sumOfCosts([...costs.kept, costs.other]);
    return { series, other: subtractCost(whole, sumOfCosts(series.map(({ told }) => told))), refused };
  }

  /** Goroutines by their weight, without those that have none. */
  #rank(kept: readonly GoroutineCost[]): number[] {
    const weights = new Map<number, number>();
    for (const cost of kept) {
      const before = this.#before.get(cost.goroutine);
      const increase = cost.lookups - (continues(before, cost) ? (before?.lookups ?? 0) : 0);
      const weight = (this.#weights.get(cost.goroutine) ?? 0) / 2 + increase;
      if (weight >= 1) weights.set(cost.goroutine, weight);
    }
    this.#weights = weights;
    return [...weights].sort(([a, one], [b, other]) => other - one || a - b).map(([goroutine]) => goroutine);
  }

  /** Gives series to the heaviest that have none, as long as some are free. @returns how many could get none ever */
  #admit(heaviest: readonly number[], now: ReadonlyMap<number, GoroutineCost>): number {
    const first = this.#series.size === 0;
    let free = this.#most - [...this.#series.values()].filter(({ ended }) => !ended).length;
    let refused = 0;
    for (const goroutine of heaviest) {
      const cost = now.get(goroutine);
      const series = this.#series.get(goroutine);
      const before = this.#before.get(goroutine);
      const upTo = continues(before, cost) ? before : undefined;
      if (cost === undefined || series?.ended === false || free === 0) continue;
      if (!first && upTo === undefined) continue;
      if (series === undefined && this.#series.size >= this.#mostEver) {
        refused++;
        continue;
      }
      const begun = series ?? { ...identity(cost), since: this.#time, told: sumOfCosts([]) };
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

/** Whether `now` counts on from `before`: not when the goroutine was given up meanwhile, for then more may be missing. */
function continues(before: GoroutineCost | undefined, now: GoroutineCost | undefined): boolean {
  return before !== undefined && now !== undefined && before.missingAtMost === now.missingAtMost;
}

function advance(series: Kept, to: GoroutineCost): void {
  const increase = series.upTo === undefined ? to : subtractCost(to, series.upTo);
  series.told = sumOfCosts([series.told, increase]);
  series.upTo = to;
}
