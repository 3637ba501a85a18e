import { EXIT, messageOf, UserError } from '../../base/errors.ts';
import type { ObservationMode, Overhead } from '../../model/snapshot.ts';
import type { LookupProgram, WindowPlan } from '../../programs/lookup-program.ts';
import type { Counters } from '../../programs/readers/counters.ts';
import { hasMemory } from '../../target/process.ts';
import { CostMeter, type CostSource, MARGIN } from '../cost/cost-meter.ts';
import { TargetCpu } from '../cost/target-cpu.ts';
import { type Load, windowCost } from './costs.ts';
import type { Sampled } from './estimate.ts';
import { Governor } from './governor.ts';
import { LIMITS } from './limits.ts';
import type { BudgetShare, NodeBudget } from './node-budget.ts';
import { Sampling } from './sampling.ts';

export interface WindowOptions {
  readonly pid: number;
  readonly mode: ObservationMode;
  /** Share of the target's CPU time that observation may cost. */
  readonly budget: number;
  /** What all targets share; without it only the budget of each limits what it may cost. */
  readonly node?: NodeBudget;
  /** Probes outside of windows, whose cost counts towards the budget. */
  readonly costSources?: readonly CostSource[];
  /** Called with a sentence when the budget cannot be kept. */
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
  #options: WindowOptions;
  readonly #governor: Governor;
  readonly #share: BudgetShare | undefined;
  readonly #meter: CostMeter;
  readonly #sampling = new Sampling();
  readonly #sources: readonly CostSource[];
  readonly #fail: (error: unknown) => void;
  #stopping = false;
  /** Ends the sleep. */
  #wake: () => void = () => {};
  #loop: Promise<void> | undefined;
  #attachedSince: number | undefined;
  #attachedUntil: number | undefined;
  /** CPU seconds that lookups have cost, each hit at the price known at that time, so that the sum never falls. */
  #lookupCost = 0;
  #otherCost = 0;
  readonly #otherHits: number[] = [];
  #pausesSources = false;
  #stops = 0;
  #counted = { hits: 0, decoded: 0 };
  /** At the last call of #load(): the monotonic clock, the target's CPU time, and what other probes have cost. */
  #seen: { at: number; cpu: number; other: number };
  readonly #cpu: TargetCpu;
  /** The monotonic clock when the last window closed. */
  #lastClosed = now();
  #cpuAtLastClose = 0;

  constructor(program: LookupProgram, options: WindowOptions) {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.failed = promise;
    this.#fail = resolve;
    this.#program = program;
    this.#options = options;
    this.#sources = options.costSources ?? [];
    this.#share = options.mode === 'windows' ? options.node?.join() : undefined;
    this.#governor = new Governor(options.budget, Math.random, this.#sources.length > 0, this.#share);
    this.#meter = new CostMeter(program.attachMethod, program.sites);
    this.#cpu = new TargetCpu(options.pid, now);
    this.#seen = { at: now(), cpu: 0, other: this.#otherSeconds() };
  }

  async start(): Promise<void> {
    if (this.#options.mode === 'windows') {
      this.#loop = this.#run().catch((error: unknown) => this.#fail(inWords(error, this.#options.pid)));
      return;
    }
    // What is measured here is only reported, so the target need not wait for it.
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
    this.#share?.leave();
    await this.#program.detach();
    if (this.#options.mode === 'all') {
      this.#attachedUntil = now();
      await this.#meter.settled();
    }
    this.#cpu.read();
  }

  /** Sets the share of the target's CPU time that observation may cost from now on. */
  setBudget(budget: number): void {
    this.#options = { ...this.#options, budget };
    this.#governor.setBudget(budget);
  }

  /** To be called about once a second: what the target has used can only be read while it lives. */
  tend(): void {
    this.#cpu.read();
    if (this.#options.mode === 'all') {
      void this.#meter.refresh();
    }
  }

  /** Asks for what other probes have seen until now, which overhead() accounts for. */
  async refresh(): Promise<void> {
    await Promise.all(this.#sources.map((source) => source.refresh()));
  }

  /** The target has ended, and has used so much CPU time in all its life. */
  targetEnded(cpuSeconds: number): void {
    this.#cpu.ended(cpuSeconds);
  }

  get windows(): number {
    return this.#options.mode === 'all' ? Number(this.#attachedSince !== undefined) : this.#sampling.windows;
  }

  /** Seconds during which lookups were decoded. */
  attachedSeconds(): number {
    if (this.#options.mode === 'windows') {
      return this.#sampling.openSeconds;
    }
    return this.#attachedSince === undefined ? 0 : (this.#attachedUntil ?? now()) - this.#attachedSince;
  }

  /** Lookups decoded, and an estimate of how many were made; for counters read at the same moment. */
  sampled(counters: Counters): Sampled {
    const decoded = decodedHits(counters);
    if (this.#options.mode === 'all') {
      return { decoded, estimated: decoded };
    }
    return { decoded: this.#sampling.decoded, estimated: this.#sampling.estimated };
  }

  /** What observation has cost the target so far, as of the last refresh(). */
  overhead(counters: Counters): Overhead {
    this.#meter.learn(counters);
    const { trapSeconds, decodeSeconds } = this.#meter;
    const all = this.#options.mode === 'all';
    if (all) {
      const { hits, decoded } = this.#newHits(counters);
      this.#lookupCost += hits * this.#meter.costs.trap + decoded * this.#meter.costs.decode;
    }
    return {
      budget: all ? null : this.#options.budget,
      measured: this.#meter.measured,
      trapSeconds,
      decodeSeconds,
      margin: MARGIN - 1,
      hits: counters.hits,
      decodedHits: decodedHits(counters),
      otherHits: this.#sources.reduce((sum, source) => sum + source.hits(), 0),
      costSeconds: this.#lookupCost + this.#otherSeconds(),
      targetCpuSeconds: this.#cpu.seconds,
      fullWindows: this.#sampling.full,
      stops: this.#governor.stops,
      relativeError: all ? 0 : (this.#sampling.relativeError ?? null),
      underestimate: all ? 0 : (this.#sampling.underestimate ?? null),
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
      } else if (!(await unlessEnded(pid, () => this.#window(decision.window)))) {
        return;
      }
    }
  }

  #elapse(): void {
    if (this.#sources.length > 0) {
      void this.refresh();
    }
    this.#governor.elapse(this.#load(), this.#meter.costs);
    if (this.#governor.pausesOthers === this.#pausesSources) {
      return;
    }
    this.#pausesSources = this.#governor.pausesOthers;
    for (const source of this.#sources) {
      if (this.#pausesSources) {
        source.pause();
      } else {
        source.resume();
      }
    }
  }

  async #window(plan: WindowPlan): Promise<void> {
    const { openSeconds, cpuSeconds, closed, full, lockedSeconds, counters } =
      await this.#program.window(plan);
    const { hits, decoded } = this.#newHits(counters);
    this.#meter.learn(counters);
    const load = this.#load();
    const { costs } = this.#meter;
    this.#lookupCost += windowCost({ hits, decoded }, load, costs);
    this.#governor.ended({ openSeconds, load, hits, decoded, full, lockedSeconds }, costs);
    this.#sampling.add({
      decoded,
      openSeconds,
      spanSeconds: closed - this.#lastClosed,
      full,
      cpuSeconds,
      costSeconds: decoded * (costs.trap + costs.decode),
      spanCpuSeconds: this.#seen.cpu - this.#cpuAtLastClose,
    });
    this.#lastClosed = closed;
    this.#cpuAtLastClose = this.#seen.cpu;
  }

  /** Hits since the last call. */
  #newHits(counters: Counters): { hits: number; decoded: number } {
    const before = this.#counted;
    // Readings may overtake one another.
    this.#counted = {
      hits: Math.max(before.hits, counters.hits),
      decoded: Math.max(before.decoded, decodedHits(counters)),
    };
    return { hits: this.#counted.hits - before.hits, decoded: this.#counted.decoded - before.decoded };
  }

  #warnOfStop(): void {
    if (this.#governor.stops === this.#stops) {
      return;
    }
    this.#stops = this.#governor.stops;
    const limit = this.#governor.isCrowded
      ? "what other targets leave of the node's budget"
      : `the budget of ${100 * this.#options.budget} %`;
    this.#options.warn?.(
      `Process ${this.#options.pid} is not observed for now: even the shortest windows would cost more than ` +
        `${limit}. mapscope tries again after ${LIMITS.firstBackOff} seconds, then less and less often.`,
    );
  }

  /** What the target has used since the last call. */
  #load(): Load {
    const seen = { at: now(), cpu: this.#cpu.read(), other: this.#otherSeconds() };
    const before = this.#seen;
    this.#seen = seen;
    return {
      seconds: seen.at - before.at,
      cpuSeconds: seen.cpu - before.cpu,
      otherSeconds: seen.other - before.other,
    };
  }

  /** What other probes have cost so far: each hit at the price known at that time. */
  #otherSeconds(): number {
    this.#sources.forEach((source, i) => {
      const hits = source.hits();
      this.#otherCost += (hits - (this.#otherHits[i] ?? 0)) * source.secondsPerHit;
      this.#otherHits[i] = hits;
    });
    return this.#otherCost;
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

/** Hits that were decoded, whatever their outcome. */
function decodedHits({ hits, windowClosed }: Counters): number {
  return hits - windowClosed;
}

/** Seconds of the monotonic clock, which is the kernel's of windows. */
function now(): number {
  return Number(process.hrtime.bigint()) * 1e-9;
}

/** @returns false when the target has ended, or ends meanwhile: then it has no memory left to attach to, and no lookups to miss */
async function unlessEnded(pid: number, attach: () => Promise<void>): Promise<boolean> {
  if (!hasMemory(pid)) {
    return false;
  }
  try {
    await attach();
    return true;
  } catch (error) {
    if (!hasMemory(pid)) {
      return false;
    }
    throw error;
  }
}

/** Refusals of the kernel become a sentence for the user; anything else is a defect, and stays what it is. */
function inWords(error: unknown, pid: number): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) {
    return error;
  }
  if (code === 'ENOTSUP') {
    const message =
      `Process ${pid} cannot be observed in windows: there are no uprobe_multi links for it, and mapscope ` +
      `${messageOf(error)}. --mode all works without that, and costs the process every lookup.`;
    return new UserError(message, EXIT.cannotObserve, { cause: error });
  }
  return new UserError(`Observing process ${pid} failed: ${messageOf(error)}.`, EXIT.failed, {
    cause: error,
  });
}
