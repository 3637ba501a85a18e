import { once } from 'node:events';
import { messageOf, UserError } from '../base/errors.ts';
import { log } from '../base/log.ts';
import { changesBetween } from '../config/changes.ts';
import type { Settings } from '../config/settings.ts';
import { processFacts } from '../target/finding/process-facts.ts';
import { ProcessFinder } from '../target/finding/process-finder.ts';
import { decide, decisionInWords, type Selection } from '../target/finding/selection.ts';
import { hasMemory } from '../target/process.ts';
import { giveMemoryBack } from './memory.ts';
import { changeNodeBudget } from './node-budget.ts';
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

/** What became of the processes that were observed when something else was asked for. */
export interface FleetChange {
  /** Not included any more: each ends, and its last state is exported. */
  readonly left: number;
  /** Observed anew, because of the settings that have changed. */
  readonly anew: number;
}

/** A process is not to be observed any more, or not by what it executes now. */
class LeftAlone extends UserError {}

/** One process that is observed, or about to be. */
interface Member {
  /** Aborted when its observation is to end. */
  readonly over: AbortController;
  /** It was observed before, with other settings. */
  readonly isAgain: boolean;
  /** It is to be observed once more when that is over. */
  isAnew: boolean;
}

/**
 * Observes every process that a selection includes, those that run and those that come, until the end is wanted. That there is none, or
 * that one cannot be observed, is no reason to end.
 */
export class Fleet {
  #options: FleetOptions;
  readonly #requested: AbortSignal;
  #observer: ProcessObserver;
  readonly #finder: ProcessFinder;
  readonly #running = new Set<Promise<void>>();
  readonly #members = new Map<number, Member>();
  readonly #waiting: { readonly pid: number; readonly isAgain: boolean }[] = [];
  readonly #said = new Set<string>();
  #starting = 0;
  #isOver = false;
  #observed = 0;
  #missed = 0;

  /** @param requested is aborted when the end is wanted */
  constructor(options: FleetOptions, requested: AbortSignal) {
    this.#options = options;
    this.#requested = requested;
    this.#observer = this.#newObserver();
    this.#finder = new ProcessFinder({
      selection: options.selection,
      found: ({ pid }) => this.#enqueue(pid, false),
      withoutEvents: (reason) =>
        log('info', `Processes are found by looking only, twice a second: ${reason}.`),
      ...(options.events !== undefined && { events: options.events }),
    });
  }

  #newObserver(): ProcessObserver {
    const { settings, watcher } = this.#options;
    return new ProcessObserver(settings, {
      // A signal asks for the end from the start on.
      onAttaching: () => {},
      admit: (pid) => this.#admit(pid),
      ...(watcher !== undefined && { watcher }),
    });
  }

  /** Until the end is wanted, and everything that was observed is over. */
  async run(): Promise<FleetCounts> {
    log('info', 'mapscope waits for processes to observe.');
    this.#finder.start();
    if (!this.#requested.aborted) {
      await once(this.#requested, 'abort');
    }
    this.#isOver = true;
    this.#finder.stop();
    this.#waiting.length = 0;
    for (const { over } of this.#members.values()) {
      over.abort();
    }
    while (this.#running.size > 0) {
      await Promise.all(this.#running);
    }
    return { observed: this.#observed, missed: this.#missed };
  }

  /**
   * Asks for other processes, or for other settings. What goes on under both is not touched; where that can be done a budget changes for
   * those that are observed.
   */
  change(selection: Selection, settings: Settings): FleetChange {
    if (this.#isOver) {
      return { left: 0, anew: 0 };
    }
    const before = this.#options.settings;
    const { live, anew } = changesBetween(before, settings);
    this.#options = { ...this.#options, selection, settings };
    if (live.length > 0) {
      changeNodeBudget(before, settings);
    }
    if (anew.length > 0) {
      this.#observer = this.#newObserver();
    } else if (live.includes('budget')) {
      this.#observer.setBudget(settings.budget);
    }
    const change = { left: 0, anew: 0 };
    for (const [pid, member] of this.#members) {
      const decision = decide(processFacts(pid), selection);
      if (!decision.observe) {
        change.left++;
        member.isAnew = false;
        member.over.abort();
        log('info', `Process ${pid} is observed no longer: ${decisionInWords(decision, selection)}.`);
      } else if (anew.length > 0) {
        change.anew++;
        member.isAnew = true;
        member.over.abort();
      }
    }
    this.#finder.select(selection);
    return change;
  }

  /** @param isAgain it was observed just now */
  #enqueue(pid: number, isAgain: boolean): void {
    this.#waiting.push({ pid, isAgain });
    this.#startNext();
  }

  #startNext(): void {
    const next = this.#starting < MOST_STARTS ? this.#waiting.shift() : undefined;
    if (next === undefined) {
      return;
    }
    const { pid, isAgain } = next;
    this.#starting++;
    const member: Member = { over: new AbortController(), isAgain, isAnew: false };
    this.#members.set(pid, member);
    const observation: Promise<void> = this.#observe(pid, member).finally(() => {
      this.#running.delete(observation);
      this.#members.delete(pid);
      if (member.isAnew && !this.#isOver && hasMemory(pid)) {
        this.#enqueue(pid, true);
      } else {
        this.#finder.release(pid);
      }
    });
    this.#running.add(observation);
    this.#startNext();
  }

  /** Never rejects. */
  async #observe(pid: number, member: Member): Promise<void> {
    const observer = this.#observer;
    try {
      const running = await observer.start(pid).finally(() => {
        this.#starting--;
        this.#startNext();
      });
      this.#observed += Number(!member.isAgain);
      giveMemoryBack();
      const exe = running[0].target.exe;
      log('info', `Process ${pid} (${exe}) is observed.`);
      const seen = await observer.observe(running, member.over.signal);
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
