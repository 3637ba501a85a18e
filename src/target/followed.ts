import { addon, type ProgramFollower } from '../kernel/addon.ts';
import { hasMemory } from './process.ts';

/** Should a SIGCHLD be missed, processes stand still no longer than this, in milliseconds. */
const LOOK_MILLIS = 1000;

/** A started program with all processes that come from it: each stands still at the end of each execve() of its own. */
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

  /** A process that stands at the end of an execve(); undefined when none is left that could execute something. */
  async next(): Promise<number | undefined> {
    while (this.#reached.length === 0 && !this.#follower.isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#reached.shift();
  }

  /** Lets a process that next() has given go on, still followed. */
  goOn(pid: number): void {
    this.#follower.goOn(pid);
  }

  /** Follows no process any longer. One stays where it stands, for addon.resume(); the others run on. */
  letGoAllBut(pid: number): void {
    this.#follower.letGo(pid);
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
