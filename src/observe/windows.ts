import { EXIT, messageOf, UserError } from '../errors.ts';
import { addon } from '../kernel/addon.ts';
import type { ObservationMode, Overhead } from '../model/snapshot.ts';
import { hasMemory } from '../target/process.ts';
import type { Counters } from './aggregates.ts';
import { CostMeter, type CostSource } from './costs.ts';
import type { Sampled } from './estimate.ts';
import { Governor, LIMITS, type Load, type WindowPlan, windowCost } from './governor.ts';
import type { LookupProgram } from './program.ts';
import { Sampling } from './sampling.ts';

export interface WindowOptions {
  readonly pid: number;
  readonly mode: ObservationMode;
  /** Share of the target's CPU time that observation may cost. */
  readonly budget: number;
  /** Probes outside of windows, whose cost counts towards the budget. */
  readonly costSources?: readonly CostSource[];
  /** Told when the budget cannot be kept, in a sentence. */
  readonly warn?: (sentence: string) => void;
}

/**
 * Opens windows as the governor decides, and keeps account of what they cost and how much they saw. In `all` mode the
 * sites are attached from start to stop.
 */
export class WindowSchedule {
  /** Resolves, with the error, when windows cannot go on although the target lives. */
  readonly failed: Promise<unknown>;
  readonly #program: LookupProgram;
  readonly #options: WindowOptions;
  readonly #governor: Governor;
  readonly #meter: CostMeter;
  readonly #sampling = new Sampling();
  readonly #sources: readonly CostSource[];
  readonly #fail: (error: unknown) => void;
  #stopping = false;
  /** Ends the sleep. */
  #wake: () => void = () => {};
  #loop: Promise<void> | undefined;
  #attachedSince: number | undefined;
  /** CPU seconds that windows and other probes have cost. */
  #cost = 0;
  #otherCost = 0;
  readonly #otherHits: number[] = [];
  #pausesSources = false;
  #stops = 0;
  #counted = { hits: 0, decoded: 0 };
  /** At the last call of #load(): the monotonic clock, the target's CPU time, and what other probes have cost. */
  #seen: { at: number; cpu: number; other: number };
  readonly #firstCpu: number;
  #lastCpu = 0;
  /** The monotonic clock when the last window closed. */
  #lastClosed = now();

  constructor(program: LookupProgram, options: WindowOptions) {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.failed = promise;
    this.#fail = resolve;
    this.#program = program;
    this.#options = options;
    this.#sources = options.costSources ?? [];
    this.#governor = new Governor(options.budget, Math.random, this.#sources.length > 0);
    this.#meter = new CostMeter(program.attachMethod, program.sites);
    this.#firstCpu = this.#cpuSeconds();
    this.#seen = { at: now(), cpu: this.#firstCpu, other: this.#otherSeconds() };
  }

  async start(): Promise<void> {
    if (this.#options.mode === 'windows') {
      this.#loop = this.#run().catch((error: unknown) => this.#fail(inWords(error, this.#options.pid)));
      return;
    }
    // What is measured here is only told: it may come later.
    void this.#meter.refresh();
    await unlessEnded(this.#options.pid, async () => {
      await this.#program.attach();
      this.#attachedSince = now();
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake();
    await this.#loop;
    if (this.#options.mode === 'all') await this.#program.detach();
    this.#cpuSeconds();
  }

  get windows(): number {
    return this.#options.mode === 'all' ? Number(this.#attachedSince !== undefined) : this.#sampling.windows;
  }

  /** Seconds during which lookups were decoded. */
  attachedSeconds(): number {
    if (this.#options.mode === 'windows') return this.#sampling.openSeconds;
    return this.#attachedSince === undefined ? 0 : now() - this.#attachedSince;
  }

  /** How much was seen, of all that was to be seen; for counters read at the same moment. */
  sampled(counters: Counters): Sampled {
    const decoded = decodedHits(counters);
    if (this.#options.mode === 'all') return { decoded, estimated: decoded };
    return { decoded: this.#sampling.decoded, estimated: this.#sampling.estimated };
  }

  /** What observation has cost the target so far. */
  overhead(counters: Counters): Overhead {
    this.#meter.learn(counters);
    const { trap, decode } = this.#meter.costs;
    const all = this.#options.mode === 'all';
    const decoded = decodedHits(counters);
    return {
      budget: all ? null : this.#options.budget,
      measured: this.#meter.measured,
      trapSeconds: trap,
      decodeSeconds: decode,
      hits: counters.hits,
      decodedHits: decoded,
      otherHits: this.#sources.reduce((sum, source) => sum + source.hits(), 0),
      costSeconds: all ? counters.hits * trap + decoded * decode + this.#otherSeconds() : this.#cost,
      targetCpuSeconds: this.#cpuSeconds() - this.#firstCpu,
      fullWindows: this.#sampling.full,
      stops: this.#governor.stops,
      relativeError: all ? 0 : (this.#sampling.relativeError ?? null),
    };
  }

  async #run(): Promise<void> {
    const { pid } = this.#options;
    await this.#meter.refresh();
    while (!this.#stopping) {
      this.#elapse();
      const decision = this.#governor.decide(this.#meter.costs);
      this.#warnOfStop();
      if (decision.do === 'wait') {
        void this.#meter.refresh();
        await this.#sleep(Math.ceil(1000 * decision.seconds));
      } else if (!(await unlessEnded(pid, () => this.#window(decision.window)))) return;
    }
  }

  #elapse(): void {
    const load = this.#load();
    this.#cost += load.otherSeconds;
    this.#governor.elapse(load, this.#meter.costs);
    if (this.#governor.pausesOthers === this.#pausesSources) return;
    this.#pausesSources = this.#governor.pausesOthers;
    for (const source of this.#sources) {
      if (this.#pausesSources) source.pause();
      else source.resume();
    }
  }

  async #window(plan: WindowPlan): Promise<void> {
    const { openSeconds, closed, full, counters } = await this.#program.window(plan);
    const hits = counters.hits - this.#counted.hits;
    const decoded = decodedHits(counters) - this.#counted.decoded;
    this.#counted = { hits: counters.hits, decoded: decodedHits(counters) };
    this.#meter.learn(counters);
    const load = this.#load();
    const { costs } = this.#meter;
    this.#cost += load.otherSeconds + windowCost({ hits, decoded }, load, costs);
    this.#governor.ended({ openSeconds, load, hits, decoded, full }, costs);
    this.#sampling.add({ decoded, openSeconds, spanSeconds: closed - this.#lastClosed, full });
    this.#lastClosed = closed;
  }

  #warnOfStop(): void {
    if (this.#governor.stops === this.#stops) return;
    this.#stops = this.#governor.stops;
    this.#options.warn?.(
      `Process ${this.#options.pid} is not observed for now: even the shortest windows would cost it more than the ` +
        `budget of ${100 * this.#options.budget} %. It is tried again after ${LIMITS.firstBackOff} seconds, then less and less often.`,
    );
  }

  /** What the target has used since the last call. */
  #load(): Load {
    const seen = { at: now(), cpu: this.#cpuSeconds(), other: this.#otherSeconds() };
    const before = this.#seen;
    this.#seen = seen;
    return {
      seconds: seen.at - before.at,
      cpuSeconds: seen.cpu - before.cpu,
      otherSeconds: seen.other - before.other,
    };
  }

  /** What other probes have cost so far: each hit at what was known of its cost then. */
  #otherSeconds(): number {
    this.#sources.forEach((source, i) => {
      const hits = source.hits();
      this.#otherCost += (hits - (this.#otherHits[i] ?? 0)) * source.secondsPerHit;
      this.#otherHits[i] = hits;
    });
    return this.#otherCost;
  }

  /** CPU time of the target; that of an ended one is what it was when last seen. */
  #cpuSeconds(): number {
    try {
      this.#lastCpu = Math.max(this.#lastCpu, addon.cpuSeconds(this.#options.pid));
    } catch {}
    return this.#lastCpu;
  }

  /** Waits, but not past the stop. */
  async #sleep(millis: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, millis);
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
  }
}

/** Hits that were decoded, whatever came of it. */
function decodedHits({ hits, windowClosed }: Counters): number {
  return hits - windowClosed;
}

/** Seconds of the monotonic clock, which is the kernel's of windows. */
function now(): number {
  return Number(process.hrtime.bigint()) * 1e-9;
}

/** @returns false when the target has ended, or ends meanwhile: then it has no memory left to attach to, and no lookups to miss */
async function unlessEnded(pid: number, attach: () => Promise<void>): Promise<boolean> {
  if (!hasMemory(pid)) return false;
  try {
    await attach();
    return true;
  } catch (error) {
    if (!hasMemory(pid)) return false;
    throw error;
  }
}

/** What the kernel refuses is told in a sentence; anything else is a defect, and stays what it is. */
function inWords(error: unknown, pid: number): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  return new UserError(`The observation of process ${pid} failed: ${messageOf(error)}.`, EXIT.failed, {
    cause: error,
  });
}
