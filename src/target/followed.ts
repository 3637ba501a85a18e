import { log } from '../base/log.ts';
import { addon, type ProgramFollower } from '../kernel/addon.ts';
import { loaderNotice } from './loader.ts';
import { hasMemory, processOf } from './process.ts';

/** Should a SIGCHLD be missed, processes stand still no longer than this, in milliseconds. */
const LOOK_MILLIS = 1000;

/** A thread that stands still until it is told to go on. */
export interface Standing {
  readonly thread: number;
  readonly pid: number;
  /** It is at the end of an execve(); else its dynamic loader has mapped something. */
  readonly hasExecuted: boolean;
}

/**
 * A started program with all processes that come from it: each stands still at the end of each execve() of its own, and when its
 * dynamic loader has mapped files.
 */
export class FollowedProgram {
  readonly #started: number;
  readonly #follower: ProgramFollower;
  readonly #reached: number[] = [];
  readonly #timer: NodeJS.Timeout;
  #isStopping = false;
  #wake: () => void = () => {};

  /**
   * @param started a program that was started, and stands before its first instruction
   * @param reaped settles when somebody has waited for its end
   * @param stop settles when nobody wants to follow the others any longer than the started program lives
   */
  constructor(started: number, reaped: Promise<unknown>, stop: Promise<unknown>) {
    this.#started = started;
    this.#follower = new addon.ProgramFollower(started);
    process.on('SIGCHLD', this.#look);
    // It also keeps Node alive.
    this.#timer = setInterval(this.#look, LOOK_MILLIS);
    const end = () => {
      this.#isStopping = true;
      this.#look();
    };
    stop.then(end, end);
    // No signal tells of that.
    reaped.then(this.#look, this.#look);
  }

  /** A thread that stands; undefined when none is left that could execute something. */
  async next(): Promise<Standing | undefined> {
    while (this.#reached.length === 0 && !this.#follower.isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const thread = this.#reached.shift();
    return thread === undefined ? undefined : this.#standing(thread);
  }

  #standing(thread: number): Standing {
    return { thread, pid: processIfAny(thread), hasExecuted: this.#follower.isAtExec(thread) };
  }

  /** Lets a thread that next() has given go on, still followed. */
  goOn({ thread, pid, hasExecuted }: Standing): void {
    const notice = hasExecuted ? loaderNotice(pid) : undefined;
    if (!this.#follower.goOn(thread, notice === undefined ? undefined : BigInt(notice))) {
      log(
        'warn',
        `mapscope cannot see what process ${pid} loads, because it cannot have a debug register: only what it executes is followed.`,
      );
    }
  }

  /** Follows no process any longer. One thread stays where it stands, for addon.resume(); the others run on. */
  letGoAllBut({ thread }: Standing): void {
    this.#follower.letGo(thread);
    this.#look();
  }

  readonly #look = (): void => {
    this.#reached.push(...this.#follower.step());
    if (this.#isStopping && !hasMemory(this.#started)) {
      this.#isStopping = false;
      this.#reached.length = 0;
      this.#follower.letGo();
    }
    if (this.#follower.isOver) {
      clearInterval(this.#timer);
      process.off('SIGCHLD', this.#look);
    }
    this.#wake();
  };
}

/** The process of a thread; the thread itself when it was killed meanwhile. */
function processIfAny(thread: number): number {
  try {
    return processOf(thread);
  } catch {
    return thread;
  }
}
