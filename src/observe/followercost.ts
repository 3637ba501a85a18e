import { messageOf } from '../errors.ts';
import type { AttachMethod } from '../kernel/addon.ts';
import type { CostSource } from './costs.ts';
import type { SpanFollower } from './follower.ts';
import { TrapMeter } from './trapcost.ts';

/** What the trace program does with a hit, generously: it reads a few words and updates one or two hash maps. */
const PROGRAM_SECONDS = 1.5e-6;

/** How often the kernel is asked for the number of hits. */
const REFRESH_MILLIS = 250;

/** What following spans costs the target: a trap and a short program for each begin and end, always, not in windows. */
export class FollowerCost implements CostSource {
  readonly #follower: SpanFollower;
  readonly #trap: TrapMeter;
  readonly #warn: ((sentence: string) => void) | undefined;
  #told = false;
  #hits = 0;
  #asked = Number.NEGATIVE_INFINITY;

  /** @param warn told, in sentences, what becomes of following */
  constructor(follower: SpanFollower, method: AttachMethod, warn?: (sentence: string) => void) {
    this.#follower = follower;
    this.#trap = TrapMeter.of(method);
    this.#warn = warn;
  }

  get secondsPerHit(): number {
    return this.#trap.cost.seconds + PROGRAM_SECONDS;
  }

  /** As of a moment ago. */
  hits(): number {
    if (performance.now() - this.#asked >= REFRESH_MILLIS) {
      this.#asked = performance.now();
      this.#follower.following().then(
        ({ events }) => {
          this.#hits = Object.values(events).reduce((sum, count) => sum + count, 0);
        },
        // The observation is ending.
        () => {},
      );
    }
    return this.#hits;
  }

  pause(): void {
    if (!this.#told)
      this.#warn?.(
        'Spans are followed part of the time only: always would cost more than the budget allows.',
      );
    this.#told = true;
    this.#follower.detach().catch(this.#failed);
  }

  resume(): void {
    this.#follower.attach().catch(this.#failed);
  }

  readonly #failed = (error: unknown): void => {
    // The observation is ending, or the target has ended.
    if (['ECANCELED', 'EBADF', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return;
    this.#warn?.(`Spans are not followed any more: ${messageOf(error)}.`);
  };
}
