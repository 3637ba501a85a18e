import { messageOf } from '../errors.ts';
import type { AttachMethod } from '../kernel/addon.ts';
import { type CostSource, MARGIN } from './costs.ts';
import type { FollowerUsage, SpanFollower } from './follower.ts';
import { TrapMeter } from './trapcost.ts';

/** What the trace program takes for a hit, until enough have been timed: more than it does on any machine known. */
const ASSUMED_PROGRAM = 3e-6;
const ENOUGH_TIMED = 20;

/** How often the kernel is asked for the number of hits. */
const REFRESH_MILLIS = 250;

/** What following spans costs the target: a trap and a short program for each begin and end, also between windows. */
export class FollowerCost implements CostSource {
  readonly #follower: SpanFollower;
  readonly #trap: TrapMeter;
  readonly #warn: ((sentence: string) => void) | undefined;
  #told = false;
  #narrowed = false;
  #paused = false;
  #hits = 0;
  #program = ASSUMED_PROGRAM;
  #asked = Number.NEGATIVE_INFINITY;

  /** @param warn told, in sentences, what becomes of following */
  constructor(follower: SpanFollower, method: AttachMethod, warn?: (sentence: string) => void) {
    this.#follower = follower;
    this.#trap = TrapMeter.of(method);
    this.#warn = warn;
  }

  get secondsPerHit(): number {
    return MARGIN * (this.#trap.cost.seconds + this.#program);
  }

  /** As of a moment ago. */
  hits(): number {
    if (performance.now() - this.#asked >= REFRESH_MILLIS) {
      this.#asked = performance.now();
      // A failure: the observation is ending.
      this.#follower.usage().then(this.#learn, () => {});
    }
    return this.#hits;
  }

  pause(): void {
    if (!this.#told)
      this.#warn?.(
        'Spans are followed part of the time only: always would cost more than the budget allows.',
      );
    this.#told = true;
    this.#paused = true;
    this.#follower.detach().catch(this.#failed);
  }

  resume(): void {
    this.#paused = false;
    this.#follower.attach().catch(this.#failed);
  }

  readonly #learn = ({ hits, timedHits, timedSeconds, requestsHaveSpans }: FollowerUsage): void => {
    this.#hits = hits;
    if (timedHits >= ENOUGH_TIMED) this.#program = timedSeconds / timedHits;
    if (requestsHaveSpans && !this.#narrowed) this.#narrow();
  };

  /** Follows less, for less is enough. */
  #narrow(): void {
    this.#narrowed = true;
    if (this.#follower.leaveOutRequests() && !this.#paused) this.#follower.attach().catch(this.#failed);
  }

  readonly #failed = (error: unknown): void => {
    // The observation is ending, or the target has ended.
    if (['ECANCELED', 'EBADF', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return;
    this.#warn?.(`Spans are not followed any more: ${messageOf(error)}.`);
  };
}
