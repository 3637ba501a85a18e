import type { AttachMethod } from '../kernel/addon.ts';
import type { Counters } from './aggregates.ts';
import type { Costs } from './governor.ts';
import { TrapMeter } from './trapcost.ts';

/** Decoding a hit, until enough have been timed: more than it takes on any machine known. */
const ASSUMED_DECODE = 2e-6;
/** Timed hits that make a measurement, and the weight of the latest. */
const ENOUGH_TIMED = 100;
const LATEST_WEIGHT = 0.3;

/** What is measured, times this: a hit also disturbs the caches of what comes after it, by about a tenth. */
export const MARGIN = 1.2;

/**
 * Attaching and detaching, for each CPU the target keeps busy: the kernel interrupts it for each breakpoint, and it faults
 * the pages with breakpoints in again. Too little to be measured (docs/design/0006-governor.md), and generous.
 */
const ATTACH_PER_SITE = 10e-6;

/** Another kind of probe on the same target, whose cost counts towards the same budget. */
export interface CostSource {
  /** Hits so far. */
  hits(): number;
  /** What one of them costs the target. */
  readonly secondsPerHit: number;
  /** Asks it to detach for a while, and to attach again. */
  pause(): void;
  resume(): void;
}

/** What is known of the cost of hits: learned on this machine, from this target. */
export class CostMeter {
  readonly #trap: TrapMeter;
  readonly #sites: number;
  #decode: number | undefined;
  /** What is known comes from a few hits only, which is better than nothing. */
  #provisional = true;
  #counted = { timedHits: 0, timedSeconds: 0 };

  constructor(method: AttachMethod, sites: number) {
    this.#trap = TrapMeter.of(method);
    this.#sites = sites;
  }

  get costs(): Costs {
    return {
      trap: MARGIN * this.#trap.cost.seconds,
      decode: MARGIN * (this.#decode ?? ASSUMED_DECODE),
      attach: this.#sites * ATTACH_PER_SITE,
    };
  }

  /** Both parts of the cost of a hit were measured. */
  get measured(): boolean {
    return this.#trap.cost.measured && this.#decode !== undefined;
  }

  /** Measures a trap again if that was long ago. */
  refresh(): Promise<void> {
    return this.#trap.refresh();
  }

  /** Takes in how long decoding took the hits that were timed since the last call. */
  learn({ timedHits, timedSeconds }: Pick<Counters, 'timedHits' | 'timedSeconds'>): void {
    const hits = timedHits - this.#counted.timedHits;
    const latest = (timedSeconds - this.#counted.timedSeconds) / hits;
    if (hits >= ENOUGH_TIMED) {
      const before = this.#provisional ? latest : (this.#decode ?? latest);
      this.#decode = before + LATEST_WEIGHT * (latest - before);
      this.#provisional = false;
      this.#counted = { timedHits, timedSeconds };
    } else if (hits > 0 && this.#provisional) {
      this.#decode = latest;
    }
  }
}
