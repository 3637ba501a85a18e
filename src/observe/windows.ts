import { availableParallelism } from 'node:os';
import type { ObservationMode } from '../model/snapshot.ts';
import { cpuSeconds, hasMemory, isAlive } from '../target/process.ts';
import { readCounters } from './aggregates.ts';
import type { LookupProgram } from './program.ts';

export interface WindowOptions {
  readonly pid: number;
  readonly mode: ObservationMode;
  /** Share of the target's CPU time that observation may cost. */
  readonly budget: number;
}

/** A window ends after this many hits, or this time, whichever comes first. */
const MOST_HITS = 4000;
const WINDOW_MILLIS = 5;

/** Pauses between windows, in milliseconds. */
const SHORTEST_PAUSE = 20;
const LONGEST_PAUSE = 1000;
const FIRST_PAUSE = 100;

/** Cost of one hit until it has been measured: an emulated instruction's trap and the program, generously. */
const ASSUMED_HIT_SECONDS = 2e-6;

/**
 * Opens and closes windows, so that what the hits of all windows cost stays within a share of the CPU time that the
 * target uses. In `all` mode one window lasts from start to stop.
 */
export class WindowSchedule {
  windows = 0;
  readonly #program: LookupProgram;
  readonly #options: WindowOptions;
  #attachedMillis = 0;
  #openSince: number | undefined;
  #loop: Promise<void> | undefined;
  readonly #stopping = new AbortController();

  constructor(program: LookupProgram, options: WindowOptions) {
    this.#program = program;
    this.#options = options;
  }

  async start(): Promise<void> {
    if (this.#options.mode === 'all') await this.#open(0);
    else this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    await this.#close();
  }

  /** Seconds during which the sites were attached. */
  attachedSeconds(): number {
    const open = this.#openSince === undefined ? 0 : performance.now() - this.#openSince;
    return (this.#attachedMillis + open) / 1000;
  }

  async #open(hitLimit: number): Promise<void> {
    try {
      await this.#program.attach(hitLimit);
    } catch (error) {
      // A target that ends meanwhile has no memory left to attach to, and no more lookups to miss.
      if (!hasMemory(this.#options.pid)) return;
      throw error;
    }
    this.#openSince = performance.now();
    this.windows++;
  }

  async #close(): Promise<void> {
    if (this.#openSince === undefined) return;
    await this.#program.detach();
    this.#attachedMillis += performance.now() - this.#openSince;
    this.#openSince = undefined;
  }

  async #run(): Promise<void> {
    const limit = Math.ceil(MOST_HITS / availableParallelism());
    let pause = FIRST_PAUSE;
    while (!this.#stopping.signal.aborted && isAlive(this.#options.pid)) {
      const before = {
        hits: (await readCounters(this.#program.kernel)).hits,
        cpu: this.#cpu(),
        at: performance.now(),
      };
      await this.#open(limit);
      await this.#sleep(WINDOW_MILLIS);
      await this.#close();
      const cost = ((await readCounters(this.#program.kernel)).hits - before.hits) * ASSUMED_HIT_SECONDS;
      await this.#sleep(pause);
      pause = this.#nextPause(cost, this.#cpu() - before.cpu, performance.now() - before.at);
    }
  }

  /** The pause after which the cost of a window like the last is within the budget of the CPU time used meanwhile. */
  #nextPause(cost: number, cpu: number, millis: number): number {
    const cpuPerMilli = Math.max(cpu, 0.001) / millis;
    const wanted = cost / (this.#options.budget * cpuPerMilli);
    const jitter = 0.75 + Math.random() / 2;
    return Math.min(LONGEST_PAUSE, Math.max(SHORTEST_PAUSE, wanted)) * jitter;
  }

  #cpu(): number {
    try {
      return cpuSeconds(this.#options.pid);
    } catch {
      return 0;
    }
  }

  /** Waits, but not past the stop. */
  #sleep(millis: number): Promise<void> {
    const { signal } = this.#stopping;
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, millis);
      if (signal.aborted) done();
      else signal.addEventListener('abort', done);
    });
  }
}
