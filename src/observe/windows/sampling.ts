/** What estimates need of a window that has ended. */
export interface SampledWindow {
  /** Hits that were decoded in it. */
  readonly decoded: number;
  /** How long it was open. */
  readonly openSeconds: number;
  /** From the end of the window before to the end of this one. */
  readonly spanSeconds: number;
  /** It ended at its hit limit. */
  readonly full: boolean;
  /** CPU seconds that the target had while it was open, and how many of them went into observing it. */
  readonly cpuSeconds: number;
  readonly costSeconds: number;
  /** CPU seconds that the target had in the whole span, as far as that was seen. */
  readonly spanCpuSeconds: number;
}

/** Of a window's CPU time at most so much is taken for the cost of hits: what is known of both is not exact. */
const MOST_COST = 0.99;
/** From here on the rest, which the target had for itself, is less than a hit's price is known to: it tells nothing. */
const TELLING_COST = 0.9;
/** Windows without a telling rest may stand for so much of an estimate before its upper end is unknown. */
const MOST_UNTOLD = 0.05;

/**
 * How much of what the target did was seen. A window stands for the time since the one before it, whose length was
 * decided before anything was known of the window: a weight that depended on what was seen would bias the sum.
 */
export class Sampling {
  windows = 0;
  full = 0;
  openSeconds = 0;
  /** Hits decoded, and how many there would have been, had the windows been open all the time. */
  decoded = 0;
  estimated = 0;
  /** The same if the target makes lookups as fast as its CPUs let it: then hits have kept it from making more. */
  atMost = 0;
  /** Of `estimated`, what such windows stand for whose hits took so much that nothing is left to reckon with. */
  #untold = 0;
  #lastRate: number | undefined;
  #squaredSteps = 0;
  #squaredSpans = 0;

  add(window: SampledWindow): void {
    const { decoded, openSeconds, spanSeconds, full } = window;
    this.windows++;
    this.full += Number(full);
    this.openSeconds += openSeconds;
    this.decoded += decoded;
    if (openSeconds <= 0) {
      return;
    }
    const rate = decoded / openSeconds;
    const estimated = rate * Math.max(spanSeconds, openSeconds);
    this.estimated += estimated;
    this.atMost += mostLookups(window, estimated);
    this.#untold += window.costSeconds > TELLING_COST * window.cpuSeconds ? estimated : 0;
    this.#squaredSpans += spanSeconds ** 2;
    if (this.#lastRate !== undefined) {
      this.#squaredSteps += (rate - this.#lastRate) ** 2;
    }
    this.#lastRate = rate;
  }

  /**
   * Standard error of `estimated`, as a share of it: from how much successive windows differ, so that it does not take
   * a slow change of load for noise. Undefined when there are too few windows to estimate it.
   */
  get relativeError(): number | undefined {
    if (this.windows < 3 || this.estimated === 0) {
      return undefined;
    }
    const variance = this.#squaredSteps / (2 * (this.windows - 1));
    return Math.sqrt(this.#squaredSpans * variance) / this.estimated;
  }

  /**
   * By how much `estimated` may be too low, as a share of what was really made, beside the standard error: windows slow the target's
   * lookups down. One that waits for requests makes as many all the same; one that does nothing else makes fewer. Which it is
   * cannot be told from outside. Undefined when nothing is known; 1 when there may be any number of lookups more, because hits took
   * nearly all of the windows' CPU time.
   */
  get underestimate(): number | undefined {
    if (this.#untold > MOST_UNTOLD * this.estimated) {
      return 1;
    }
    return this.atMost === 0 ? undefined : 1 - this.estimated / this.atMost;
  }
}

/**
 * Lookups of a window's span if hits took their time from further lookups. Two ends are reckoned and the larger one told: by time,
 * as if the target had had as much CPU in the span as in the window, and by its CPU time. On a crowded machine it has less while a
 * window is open, because opening one takes from the same CPUs.
 *
 * @param estimated lookups of the span, if hits took nothing from the target
 */
function mostLookups(
  { decoded, cpuSeconds, costSeconds, spanCpuSeconds }: SampledWindow,
  estimated: number,
): number {
  if (decoded === 0) {
    return estimated;
  }
  const used = Math.max(cpuSeconds, costSeconds);
  const cost = Math.min(costSeconds, MOST_COST * used);
  const own = used - cost;
  const byTime = estimated / (1 - cost / used);
  const byCpu = (decoded / own) * (spanCpuSeconds - cost);
  return Math.max(estimated, byTime, byCpu);
}
