/** A window that has ended, as far as estimates go. */
export interface SampledWindow {
  /** Hits that were decoded in it. */
  readonly decoded: number;
  /** How long it was open. */
  readonly openSeconds: number;
  /** From the end of the window before to the end of this one. */
  readonly spanSeconds: number;
  /** It ended at its hit limit. */
  readonly full: boolean;
}

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
  #lastRate: number | undefined;
  #squaredSteps = 0;
  #squaredSpans = 0;

  add({ decoded, openSeconds, spanSeconds, full }: SampledWindow): void {
    this.windows++;
    this.full += Number(full);
    this.openSeconds += openSeconds;
    this.decoded += decoded;
    if (openSeconds <= 0) return;
    const rate = decoded / openSeconds;
    this.estimated += rate * Math.max(spanSeconds, openSeconds);
    this.#squaredSpans += spanSeconds ** 2;
    if (this.#lastRate !== undefined) this.#squaredSteps += (rate - this.#lastRate) ** 2;
    this.#lastRate = rate;
  }

  /**
   * Standard error of `estimated`, as a share of it: from how much successive windows differ, so that it does not take
   * a slow change of load for noise. Undefined where there are too few windows to tell.
   */
  get relativeError(): number | undefined {
    if (this.windows < 3 || this.estimated === 0) return undefined;
    const variance = this.#squaredSteps / (2 * (this.windows - 1));
    return Math.sqrt(this.#squaredSpans * variance) / this.estimated;
  }
}
