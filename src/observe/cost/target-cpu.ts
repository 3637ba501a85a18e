import { addon } from '../../kernel/addon.ts';

/** Part of the time since the start that may have gone by unseen when a process ends. */
const UNSEEN = 0.1;

/** The kernel's clock of a process: CPU seconds, all threads. Throws when there is no such process. */
export type ReadCpu = (pid: number) => number;

/**
 * CPU time that a process has used since this was made. It can be read while the process lives, and after that until its parent
 * has taken note of its end; the parent may hand over what it was in all. Where too much of it was not seen, it is not known.
 */
export class TargetCpu {
  readonly #pid: number;
  readonly #read: ReadCpu;
  readonly #now: () => number;
  readonly #first: { cpu: number; at: number } | undefined;
  #last: { cpu: number; at: number } | undefined;
  /** When it could not be read any more. */
  #goneAt: number | undefined;

  /** @param now monotonic seconds */
  constructor(pid: number, now: () => number, read: ReadCpu = (of) => addon.cpuSeconds(of)) {
    this.#pid = pid;
    this.#now = now;
    this.#read = read;
    this.#look();
    this.#first = this.#last;
  }

  /** Seconds as last read, which is tried again; for what only needs differences. */
  read(): number {
    this.#look();
    return (this.#last?.cpu ?? 0) - (this.#first?.cpu ?? 0);
  }

  /** The same; null when it is not known up to this moment, or to the end of the process. */
  get seconds(): number | null {
    const seconds = this.read();
    if (this.#first === undefined || this.#last === undefined) {
      return null;
    }
    // It was gone before it was seen a second time, however little time went by.
    if (this.#last === this.#first && this.#goneAt !== undefined) {
      return null;
    }
    const unseen = (this.#goneAt ?? this.#last.at) - this.#last.at;
    return unseen <= UNSEEN * (this.#last.at - this.#first.at) ? seconds : null;
  }

  /** Takes over what the process has used in all its life, which is over. */
  ended(cpu: number): void {
    this.#goneAt ??= this.#now();
    this.#last = { cpu, at: this.#goneAt };
  }

  #look(): void {
    if (this.#goneAt !== undefined) {
      return;
    }
    try {
      const cpu = this.#read(this.#pid);
      this.#last = { cpu: Math.max(cpu, this.#last?.cpu ?? 0), at: this.#now() };
    } catch {
      this.#goneAt = this.#now();
    }
  }
}
