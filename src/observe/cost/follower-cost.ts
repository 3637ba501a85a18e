import { messageOf } from '../../base/errors.ts';
import type { AttachMethod } from '../../kernel/addon.ts';
import type { FollowerUsage, SpanFollower } from '../../programs/span-follower.ts';
import { type CostSource, MARGIN } from './cost-meter.ts';
import { TrapMeter } from './trap-meter.ts';

/** Time of the trace program per hit, assumed until enough hits are timed: more than on any known machine. */
const ASSUMED_PROGRAM = 3e-6;
const ENOUGH_TIMED = 20;

/** What following spans costs the target: a trap and a short program for each begin and end, also between windows. */
export class FollowerCost implements CostSource {
  readonly #follower: SpanFollower;
  readonly #trap: TrapMeter;
  readonly #warn: ((sentence: string) => void) | undefined;
  #warned = false;
  #narrowed = false;
  #paused = false;
  #hits = 0;
  #program = ASSUMED_PROGRAM;

  /** @param warn called with a sentence when following is reduced or ends */
  constructor(follower: SpanFollower, method: AttachMethod, warn?: (sentence: string) => void) {
    this.#follower = follower;
    this.#trap = TrapMeter.of(method);
    this.#warn = warn;
  }

  get secondsPerHit(): number {
    return MARGIN * (this.#trap.cost.seconds + this.#program);
  }

  hits(): number {
    return this.#hits;
  }

  async refresh(): Promise<void> {
    try {
      this.#learn(await this.#follower.usage());
    } catch {
      // The observation is ending.
    }
  }

  pause(): void {
    if (!this.#warned) {
      this.#warn?.(
        'Spans are followed only part of the time: following them all the time would exceed the budget.',
      );
    }
    this.#warned = true;
    this.#paused = true;
    this.#follower.detach().catch(this.#failed);
  }

  resume(): void {
    this.#paused = false;
    this.#follower.attach().catch(this.#failed);
  }

  readonly #learn = ({ hits, timedHits, timedSeconds, requestsHaveSpans }: FollowerUsage): void => {
    // Two answers may overtake one another.
    this.#hits = Math.max(this.#hits, hits);
    if (timedHits >= ENOUGH_TIMED) {
      this.#program = timedSeconds / timedHits;
    }
    if (requestsHaveSpans && !this.#narrowed) {
      this.#narrow();
    }
  };

  /** Stops following requests: spans of the SDK cover them. */
  #narrow(): void {
    this.#narrowed = true;
    if (this.#follower.leaveOutRequests() && !this.#paused) {
      this.#follower.attach().catch(this.#failed);
    }
  }

  readonly #failed = (error: unknown): void => {
    // The observation is ending, or the target has ended.
    if (['ECANCELED', 'EBADF', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) {
      return;
    }
    this.#warn?.(`Spans are no longer followed: ${messageOf(error)}.`);
  };
}
