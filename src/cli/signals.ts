import { constants } from 'node:os';
import { EXIT, UserError } from '../base/errors.ts';
import { log, tellLeftOut } from '../base/log.ts';
import { aborted, timeLimit } from '../base/time-limit.ts';
import type { Settings } from '../config/settings.ts';
import { addon } from '../kernel/addon.ts';
import { leadsSession, processGroup } from '../target/process.ts';
import { exitNow } from './exit.ts';

/** Signals that ask a program to end. */
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** After a first signal: one that comes sooner was sent with it. timeout(1) sends two at once. */
const IMPATIENT_MILLIS = 500;

/**
 * What a signal does that would end the process. Before anything is attached, mapscope ends at once: nothing is lost, and a
 * program that does not run yet goes with it. While probes go in, and while something is observed, a first one asks for the end
 * and the report. A second one ends mapscope at once. A program that `run` has started decides by itself.
 */
export class EndingSignals {
  readonly #requested = Promise.withResolvers<void>();
  /** The signal that has asked for an end. */
  #asked: NodeJS.Signals | undefined;
  #hangUp: (() => void) | undefined;
  /** What a signal does now. */
  #handle: (signal: NodeJS.Signals) => void = endBeforeAnything;

  /** Listens from now on. */
  constructor() {
    for (const signal of ENDING) {
      process.on(signal, this.#listener);
    }
  }

  readonly #listener = (signal: NodeJS.Signals) => this.#handle(signal);

  /**
   * From now on probes go in, unless something is observed already. The end has to wait for that: the kernel may leave those behind that go in while the threads of this
   * process are killed.
   */
  attaching(): void {
    if (this.#handle === endBeforeAnything) {
      this.#handle = (signal) => this.#request(signal);
    }
  }

  /** From now on SIGHUP asks for no end: it is what a service is told with to read its configuration again. */
  onHangUp(handle: () => void): void {
    process.off('SIGHUP', this.#listener);
    this.#hangUp = handle;
    process.on('SIGHUP', handle);
  }

  /** Whether a signal has asked for an end. */
  get isAsked(): boolean {
    return this.#asked !== undefined;
  }

  /** Before a program runs whose probes are in: throws a UserError when a signal has come meanwhile. */
  throwIfAsked(): void {
    if (this.#asked !== undefined) {
      const message = `${this.#asked} has ended mapscope before the program ran.`;
      throw new UserError(message, EXIT.signalled + constants.signals[this.#asked]);
    }
  }

  /** From now on something is observed. @returns a promise that a signal resolves */
  observing(): Promise<void> {
    this.#handle = () => {
      this.finishing();
      this.#requested.resolve();
    };
    return this.#requested.promise;
  }

  /**
   * From now on a program that was started gets the signals that it has not got from the terminal itself.
   *
   * @returns a promise that the first of them resolves
   */
  handOnTo(pid: number): Promise<void> {
    for (const signal of ENDING) {
      addon.countSentSignals(constants.signals[signal]);
    }
    const group = processGroup(process.pid);
    const isToldAlone = leadsSession(process.pid);
    this.#handle = (signal) => {
      const sent = addon.takeSentSignals(constants.signals[signal]);
      this.#request(signal);
      try {
        if (sent > 0 || (isToldAlone && signal === 'SIGHUP') || processGroup(pid) !== group) {
          process.kill(pid, signal);
        }
      } catch {
        // It has ended already.
      }
    };
    return this.#requested.promise;
  }

  /** From now on only the report is missing: who does not want to wait for it gets mapscope's end. */
  finishing(): void {
    const start = performance.now();
    this.#handle = (signal) => {
      if (performance.now() - start > IMPATIENT_MILLIS) {
        endNow(signal, 'before the report was written');
      }
    };
  }

  #request(signal: NodeJS.Signals): void {
    this.#asked ??= signal;
    this.#requested.resolve();
  }

  /** Stops listening: the signals end the process again. */
  done(): void {
    for (const signal of ENDING) {
      process.off(signal, this.#listener);
    }
    if (this.#hangUp !== undefined) {
      process.off('SIGHUP', this.#hangUp);
    }
  }
}

/** Is aborted when a signal comes, or the duration is over. It does not keep Node from exiting. */
export function endWanted(signals: EndingSignals, { duration }: Settings): AbortSignal {
  const asked = aborted(signals.observing());
  return duration === undefined ? asked : AbortSignal.any([asked, timeLimit(duration)]);
}

function endBeforeAnything(signal: NodeJS.Signals): never {
  endNow(signal, 'before anything was observed');
}

/** Ends as a shell reports a program that a signal has ended. */
function endNow(signal: NodeJS.Signals, when: string): never {
  log('error', `${signal} has ended mapscope ${when}.`);
  tellLeftOut();
  exitNow(EXIT.signalled + constants.signals[signal]);
}
