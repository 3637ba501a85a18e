import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { auxiliaryVector, executablePath, hasLostMainThread, hasMemory, mappingsPath } from './process.ts';

/** Closes what nobody closed. */
const FORGOTTEN = new FinalizationRegistry<number>(closeSync);

/** Looks at a process, of which one is at all there is. */
const LOOKS_FOR_ALL = 5;

/**
 * What a process executes, as it was at one moment: tells whether it has executed something else since, be it the same file
 * again. Goroutines, spans, hash keys and types made at run time are of one image only.
 *
 * The kernel reports no execve() afterwards, and a pidfd does not become readable. But an open /proc/PID/maps belongs to the memory
 * that the process had when it was opened, and has nothing to say any more when the process has given that up. Should the
 * old memory live on in another process (vfork), the auxiliary vector tells: each image gets addresses of its own.
 */
export class ProcessImage {
  readonly #pid: number;
  readonly #identity: string | undefined;
  readonly #hadMainThread: boolean;
  #memory: number | undefined;
  #looks = 0;

  constructor(pid: number) {
    this.#pid = pid;
    this.#hadMainThread = !hasLostMainThread(pid);
    this.#memory = openMemory(pid);
    if (this.#memory !== undefined) {
      FORGOTTEN.register(this, this.#memory, this);
    }
    this.#identity = imageIdentity(pid);
  }

  /** Whether the main thread has ended since, while the others go on. */
  hasLostMainThread(): boolean {
    return this.#hadMainThread && hasLostMainThread(this.#pid);
  }

  /** Whether the process executes another image now. False also when it has ended, or cannot be looked at. */
  hasChanged(): boolean {
    if (this.#hasLostMemory()) {
      return hasMemory(this.#pid);
    }
    return this.#isAnother();
  }

  /**
   * The same, to be asked about once a second of many processes: what takes several readings, and only matters where the old memory lives on
   * in another process, is looked at every fifth time.
   */
  looksChanged(): boolean {
    this.#looks++;
    return this.#looks % LOOKS_FOR_ALL === 0
      ? this.hasChanged()
      : this.#hasLostMemory() && hasMemory(this.#pid);
  }

  #isAnother(): boolean {
    const now = imageIdentity(this.#pid);
    return now !== undefined && this.#identity !== undefined && now !== this.#identity;
  }

  /** Whether the memory of that moment is nobody's any more. False where that cannot be known. */
  #hasLostMemory(): boolean {
    try {
      return this.#memory !== undefined && readSync(this.#memory, new Uint8Array(1), 0, 1, 0) === 0;
    } catch {
      // The process is gone.
      return false;
    }
  }

  /** Nothing can be asked after that. */
  close(): void {
    if (this.#memory !== undefined) {
      FORGOTTEN.unregister(this);
      closeSync(this.#memory);
      this.#memory = undefined;
    }
  }
}

function openMemory(pid: number): number | undefined {
  try {
    return openSync(mappingsPath(pid), 'r');
  } catch {
    return undefined;
  }
}

/**
 * What tells what a process executes now from what it has executed before, be it the same file; undefined when it executes nothing, or
 * that may not be known.
 */
export function imageIdentity(pid: number): string | undefined {
  try {
    const { dev, ino } = statSync(executablePath(pid), { bigint: true });
    const auxiliary = auxiliaryVector(pid);
    // Empty from the moment on when the process gives up its memory.
    return auxiliary.length === 0 ? undefined : `${dev} ${ino} ${auxiliary.toString('base64')}`;
  } catch {
    return undefined;
  }
}
