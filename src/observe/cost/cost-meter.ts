import type { AttachMethod } from '../../kernel/addon.ts';
import type { Counters } from '../../programs/readers/counters.ts';
import type { Costs } from '../windows/costs.ts';
import { TrapMeter } from './trap-meter.ts';

/** Time to decode a hit, assumed until enough hits are timed: more than on any known machine. */
const ASSUMED_DECODE = 2e-6;
/** Timed hits that make a measurement, and the weight of the latest. */
const ENOUGH_TIMED = 100;
const LATEST_WEIGHT = 0.3;

/** Factor on what is measured, in all that is summed up: a hit also disturbs the caches of what follows it, by about a tenth. */
export const MARGIN = 1.2;

/**
 * Attaching and detaching, for each CPU the target keeps busy: the kernel interrupts it for each breakpoint, and it faults
 * the pages with breakpoints in again. Too little to be measured (docs/design/0006-governor.md), and generous.
 */
const ATTACH_PER_SITE = 10e-6;

/** Another kind of probe on the same target, whose cost counts towards the same budget. */
export interface CostSource {
  /** Hits, as of the last refresh. */
  hits(): number;
  /** Asks for the number of hits. Never rejects: the observation may be ending. */
  refresh(): Promise<void>;
  /** What one of them costs the target, with the margin. */
  readonly secondsPerHit: number;
  /** Asks it to detach for a while, and to attach again. */
  pause(): void;
  resume(): void;
}

/** What hits cost, learned on this machine and from this target. */
export class CostMeter {
  readonly #trap: TrapMeter;
  readonly #sites: number;
  #decode: number | undefined;
  /** The measurement comes from a few hits only, which is better than nothing. */
  #provisional = true;
  #counted = { timedHits: 0, timedSeconds: 0 };

  constructor(method: AttachMethod, sites: number) {
    this.#trap = TrapMeter.of(method);
    this.#sites = sites;
  }

  /** What a hit costs before anything is decoded: as measured, or assumed. */
  get trapSeconds(): number {
    return this.#trap.cost.seconds;
  }

  /** Else it is assumed. */
  get isTrapMeasured(): boolean {
    return this.#trap.cost.measured;
  }

  /** What decoding a hit costs on top. */
  get decodeSeconds(): number {
    return this.#decode ?? ASSUMED_DECODE;
  }

  /** What is reckoned with: the same with the margin. */
  get costs(): Costs {
    return {
      trap: MARGIN * this.trapSeconds,
      decode: MARGIN * this.decodeSeconds,
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

  /** Resolves when no measurement of a trap is under way. */
  settled(): Promise<void> {
    return this.#trap.settled();
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
