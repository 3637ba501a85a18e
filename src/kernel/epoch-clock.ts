import { addon } from './addon.ts';

/** The two readings that a clock is made of, see the addon. */
export interface Clocks {
  bootNow(): bigint;
  bootToEpoch(): bigint;
}

/**
 * Unix nanoseconds for one observation. The time of day is read once; from then on the kernel's clock since the start of the
 * machine goes on alone. So times ascend, and their differences are right, when the time of day is set forward or back and when
 * the machine sleeps; all are off by as much as the time of day was at the start.
 */
export class EpochClock {
  /** What to add to the kernel's times (CLOCK_BOOTTIME). */
  readonly offset: bigint;
  readonly #clocks: Clocks;

  constructor(clocks: Clocks = addon) {
    this.#clocks = clocks;
    this.offset = clocks.bootToEpoch();
  }

  now(): bigint {
    return this.#clocks.bootNow() + this.offset;
  }
}
