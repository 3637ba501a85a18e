import { once } from 'node:events';
import { messageOf, UserError } from '../base/errors.ts';
import { log } from '../base/log.ts';
import type { Settings } from '../config/settings.ts';
import { processFacts } from '../target/finding/process-facts.ts';
import { ProcessFinder } from '../target/finding/process-finder.ts';
import { decide, decisionInWords, type Selection } from '../target/finding/selection.ts';
import { hasMemory } from '../target/process.ts';
import { giveMemoryBack } from './memory.ts';
import type { Watcher } from './observed-target.ts';
import { isOfAnotherKind } from './process-images.ts';
import { ProcessObserver } from './process-observer.ts';
import type { SeenProcess } from './through-execs.ts';

/** Processes that are opened and attached to at the same time: several that start together must not wait for one another. */
const MOST_STARTS = 4;
/** Sentences about processes that cannot be observed that are remembered, so that each is said once. */
const MOST_SAID = 1000;

export interface FleetOptions {
  readonly selection: Selection;
  readonly settings: Settings;
  /** Called with what was seen of a process when its observation is over. */
  readonly onSeen: (seen: SeenProcess) => void;
  /** False: find processes by looking only. */
  readonly events?: boolean;
  /** Takes what is seen of each. */
  readonly watcher?: Watcher;
}

/** How many processes there were. */
export interface FleetCounts {
  readonly observed: number;
  /** Found, but over before probes were in. */
  readonly missed: number;
}

/**
 * Observes every process that a selection includes, those that run and those that come, until the end is wanted. That there is none, or
 * that one cannot be observed, is no reason to end.
 *
 * @param requested is aborted when the end is wanted
 */
export async function observeFleet(options: FleetOptions, requested: AbortSignal): Promise<FleetCounts> {
  const fleet = new Fleet(options, requested);
  return await fleet.run();
}

/** A process is not to be observed any more, or not by what it executes now. */
class LeftAlone extends UserError {}

class Fleet {
  readonly #options: FleetOptions;
  readonly #requested: AbortSignal;
  readonly #observer: ProcessObserver;
  readonly #finder: ProcessFinder;
  readonly #running = new Set<Promise<void>>();
  readonly #waiting: number[] = [];
  readonly #said = new Set<string>();
  #starting = 0;
  #isOver = false;
  #observed = 0;
  #missed = 0;

  constructor(options: FleetOptions, requested: AbortSignal) {
    this.#options = options;
    this.#requested = requested;
    this.#observer = new ProcessObserver(options.settings, {
      // A signal asks for the end from the start on.
      onAttaching: () => {},
      admit: (pid) => this.#admit(pid),
      ...(options.watcher !== undefined && { watcher: options.watcher }),
    });
    this.#finder = new ProcessFinder({
      selection: options.selection,
      found: ({ pid }) => this.#found(pid),
      withoutEvents: (reason) =>
        log('info', `Processes are found by looking only, twice a second: ${reason}.`),
      ...(options.events !== undefined && { events: options.events }),
    });
  }

  async run(): Promise<FleetCounts> {
    log('info', 'mapscope waits for processes to observe.');
    this.#finder.start();
    if (!this.#requested.aborted) {
      await once(this.#requested, 'abort');
    }
    this.#isOver = true;
    this.#finder.stop();
    this.#waiting.length = 0;
    while (this.#running.size > 0) {
      await Promise.all(this.#running);
    }
    return { observed: this.#observed, missed: this.#missed };
  }

  #found(pid: number): void {
    this.#waiting.push(pid);
    this.#startNext();
  }

  #startNext(): void {
    const pid = this.#starting < MOST_STARTS ? this.#waiting.shift() : undefined;
    if (pid === undefined) {
      return;
    }
    this.#starting++;
    const observation: Promise<void> = this.#observe(pid).finally(() => {
      this.#running.delete(observation);
      this.#finder.release(pid);
    });
    this.#running.add(observation);
    this.#startNext();
  }

  /** Never rejects. */
  async #observe(pid: number): Promise<void> {
    try {
      const running = await this.#observer.start(pid).finally(() => {
        this.#starting--;
        this.#startNext();
      });
      this.#observed++;
      giveMemoryBack();
      const exe = running[0].target.exe;
      log('info', `Process ${pid} (${exe}) is observed.`);
      const seen = await this.#observer.observe(running, this.#requested);
      this.#options.onSeen(seen);
      if (seen.failure !== undefined) {
        this.#say(`Process ${pid} (${exe}) is observed no longer: ${messageOf(seen.failure)}`);
      } else if (!this.#isOver && !hasMemory(pid)) {
        log('info', `Process ${pid} (${exe}) has ended.`);
      }
    } catch (error) {
      this.#couldNot(pid, error);
    }
  }

  #couldNot(pid: number, error: unknown): void {
    if (this.#isOver || error instanceof LeftAlone) {
      return;
    }
    if (!hasMemory(pid)) {
      this.#missed++;
    } else if (!(error instanceof UserError)) {
      this.#say(
        `Process ${pid} is not observed, for a defect of mapscope: ${(error as Error)?.stack ?? error}`,
      );
    } else if (!isOfAnotherKind(error)) {
      // What is not written in Go may execute a program that is, and be found again then.
      this.#say(`Process ${pid} is not observed: ${messageOf(error)}`);
    }
  }

  /** Asked for each image: a process that was chosen may have become something that is not. */
  #admit(pid: number): void {
    if (this.#isOver) {
      throw new LeftAlone('The observation is over.');
    }
    const { selection } = this.#options;
    const decision = decide(processFacts(pid), selection);
    if (!decision.observe) {
      throw new LeftAlone(`It is left alone: ${decisionInWords(decision, selection)}.`);
    }
  }

  /** A process that is tried again and again is told of once. */
  #say(sentence: string): void {
    if (!this.#said.has(sentence)) {
      if (this.#said.size >= MOST_SAID) {
        this.#said.clear();
      }
      this.#said.add(sentence);
      log('warn', sentence);
    }
  }
}
