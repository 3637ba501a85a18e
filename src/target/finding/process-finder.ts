import { readdirSync, statSync } from 'node:fs';
import { imageIdentity } from '../image.ts';
import { startTicks } from '../process.ts';
import { type ExecWatch, watchExecs } from './exec-events.ts';
import { processFacts } from './process-facts.ts';
import { type Decision, decide, type Selection } from './selection.ts';

/** How often /proc is looked through, in milliseconds: with events for what they do not tell, without for everything. */
const LOOK_MILLIS = { withEvents: 1000, without: 500 };
/** How often every process is compared with what it was, in looks. */
const LOOKS_PER_RECONCILIATION = 10;
/** How long until a process is tried again that could not be observed, in milliseconds: twice as long each time. */
const RETRY_MILLIS = { first: 1000, longest: 60_000 };

/** A process that is to be observed. */
export interface FoundProcess {
  readonly pid: number;
  readonly decision: Decision;
}

export interface FinderOptions {
  readonly selection: Selection;
  /** Called for each process that is to be observed. It is not looked at again until release(). */
  readonly found: (process: FoundProcess) => void;
  /** Told once that the kernel's events cannot be had, with the reason: looking alone finds everything a little later. */
  readonly withoutEvents?: (reason: string) => void;
  /** False: only look. */
  readonly events?: boolean;
  /** How often to look, in milliseconds, instead of the usual. */
  readonly lookMillis?: number;
}

/** What is known of a process. */
interface Known {
  /** What it executed when it was looked at: which file, ... */
  readonly file: string;
  /** ... and which image, since when. */
  readonly image: string;
  decision: Decision;
  /** It is being observed, or about to be. */
  isTaken: boolean;
  /** How often it could not be observed. */
  failures: number;
  /** When it is to be looked at again even though it has not changed, by performance.now(). */
  again: number;
}

/**
 * Finds the processes that a selection includes: those that run, those that start later, and those that become one of them by
 * executing another program. The kernel tells of what is executed; looks at /proc find what that leaves out, and the one
 * does without the other.
 */
export class ProcessFinder {
  #options: FinderOptions;
  readonly #known = new Map<number, Known>();
  #watch: ExecWatch | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looks = 0;
  #hasLost = false;

  constructor(options: FinderOptions) {
    this.#options = options;
  }

  /** Reports what runs already, and from then on what comes, until stop(). It keeps Node from exiting. */
  start(): void {
    this.#watch = this.#options.events === false ? undefined : this.#watchExecs();
    const usual = this.hasEvents ? LOOK_MILLIS.withEvents : LOOK_MILLIS.without;
    this.#timer = setInterval(() => this.#look(), this.#options.lookMillis ?? usual);
    this.#look();
  }

  /** Whether the kernel tells of what is executed. */
  get hasEvents(): boolean {
    return this.#watch !== undefined && 'stop' in this.#watch;
  }

  /** From now on other processes are to be found. Those that were found stay so, until release(). */
  select(selection: Selection): void {
    this.#options = { ...this.#options, selection };
    for (const [pid, { isTaken }] of this.#known) {
      if (!isTaken) {
        this.#known.delete(pid);
      }
    }
    this.#look();
  }

  stop(): void {
    clearInterval(this.#timer);
    if (this.#watch !== undefined && 'stop' in this.#watch) {
      this.#watch.stop();
    }
    this.#known.clear();
  }

  /** A process that was found is observed no longer. If it lives, and is still to be observed, it is found again after a while. */
  release(pid: number): void {
    const known = this.#known.get(pid);
    if (known === undefined) {
      return;
    }
    known.isTaken = false;
    if (imageOf(pid) !== known.image) {
      this.#examine(pid);
      return;
    }
    known.again =
      performance.now() + Math.min(RETRY_MILLIS.first * 2 ** known.failures, RETRY_MILLIS.longest);
    known.failures++;
  }

  #watchExecs(): ExecWatch {
    const watch = watchExecs(
      (pids) => {
        for (const pid of pids) {
          this.#hasExecuted(pid);
        }
      },
      () => {
        this.#hasLost = true;
      },
    );
    if ('refusal' in watch) {
      this.#options.withoutEvents?.(watch.refusal);
    }
    return watch;
  }

  #hasExecuted(pid: number): void {
    if (this.#known.get(pid)?.isTaken !== true) {
      this.#examine(pid);
    }
  }

  #look(): void {
    const pids = processes();
    const alive = new Set(pids);
    for (const pid of this.#known.keys()) {
      if (!alive.has(pid)) {
        this.#known.delete(pid);
      }
    }
    const compares = this.#hasLost || this.#looks % LOOKS_PER_RECONCILIATION === 0;
    this.#hasLost = false;
    this.#looks++;
    for (const pid of pids) {
      if (this.#isDue(pid, compares)) {
        this.#examine(pid);
      }
    }
  }

  #isDue(pid: number, compares: boolean): boolean {
    const known = this.#known.get(pid);
    if (known === undefined) {
      return true;
    }
    if (known.isTaken) {
      return false;
    }
    return (
      known.decision.mayChange ||
      performance.now() >= known.again ||
      (compares && imageOf(pid) !== known.image) ||
      (!this.hasEvents && fileOf(pid) !== known.file)
    );
  }

  /** Looks at one process, and decides. */
  #examine(pid: number): void {
    const before = this.#known.get(pid);
    const image = imageOf(pid);
    const file = fileOf(pid);
    const decision = decide(processFacts(pid), this.#options.selection);
    const failures = before?.image === image ? before.failures : 0;
    const known: Known = { file, image, decision, isTaken: false, failures, again: Number.POSITIVE_INFINITY };
    this.#known.set(pid, known);
    if (imageOf(pid) !== image) {
      // It has executed something meanwhile, and is due at the next look.
      known.again = 0;
    } else if (decision.observe) {
      known.isTaken = true;
      this.#options.found({ pid, decision });
    }
  }
}

/** Every process that /proc shows, kernel threads too. */
export function processes(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid));
}

/** What tells what a process executes from all else that it, or another of the same id, has executed. Empty where it is hidden. */
function imageOf(pid: number): string {
  try {
    return `${startTicks(pid)} ${imageIdentity(pid) ?? ''}`;
  } catch {
    return '';
  }
}

/** The same, cheaply and not as exactly: which file it is. */
function fileOf(pid: number): string {
  try {
    const status = statSync(`/proc/${pid}/exe`, { bigint: true, throwIfNoEntry: false });
    return status === undefined ? '' : `${status.dev} ${status.ino}`;
  } catch {
    return '';
  }
}
