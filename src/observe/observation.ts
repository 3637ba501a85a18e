import type { EpochClock } from '../kernel/epoch-clock.ts';
import { observedOf } from '../model/accounts.ts';
import type { ExemplarCandidate } from '../model/candidate.ts';
import { DEFAULT_CALL_SITES } from '../model/full-tables.ts';
import type { ObservationProgress, Snapshot } from '../model/snapshot.ts';
import type { ProbePlan } from '../plan/lookups/plan.ts';
import { AggregateRecycling } from '../programs/aggregate-recycling.ts';
import type { LookupProgram } from '../programs/lookup-program.ts';
import { Namer } from '../programs/naming/namer.ts';
import { ownTypes } from '../programs/naming/own-types.ts';
import { RuntimeTypes } from '../programs/naming/runtime-types.ts';
import { type AggregateName, otherName } from '../programs/readers/aggregate.ts';
import { type AggregateContents, AggregateReader } from '../programs/readers/aggregates.ts';
import { CandidateReader } from '../programs/readers/candidates.ts';
import { CostTables } from '../programs/readers/cost-tables.ts';
import { readCounters } from '../programs/readers/counters.ts';
import { GoroutineCostReader } from '../programs/readers/goroutine-costs.ts';
import { SpanCostReader } from '../programs/readers/span-costs.ts';
import type { SpanFollower } from '../programs/span-follower.ts';
import { assemble, type ObservationOptions, type Parts, refusedFunctions } from './assemble.ts';
import { Candidates } from './candidates.ts';
import { fullTables, functionStats, hitCounts, lookupCounts, sum, totalInexact } from './counts.ts';
import { CallSites } from './sites/call-sites.ts';
import { SiteBudget } from './sites/site-budget.ts';
import { Spikes } from './spikes.ts';
import { LookupEstimates } from './windows/estimate.ts';
import type { WindowSchedule } from './windows/schedule.ts';

/**
 * How often estimates take in what was counted, when nobody asks for snapshots: what windows stand for changes with the
 * load, and all that was counted in between is scaled alike.
 */
const ESTIMATE_MILLIS = 10_000;

/** A running observation of one target: start it, take snapshots while it runs, stop it. */
export class Observation {
  /** Sentences for the user: what could not be set up as requested. The observation goes on without it. */
  readonly warnings: readonly string[];
  #plan: ProbePlan;
  /** Functions were left out since the start. */
  #leavesOut = false;
  readonly #program: LookupProgram;
  readonly #follower: SpanFollower | undefined;
  readonly #schedule: WindowSchedule;
  readonly #namer: Namer;
  readonly #runtimeTypes: RuntimeTypes;
  readonly #aggregates = new AggregateReader();
  readonly #recycling: AggregateRecycling;
  readonly #estimates = new LookupEstimates();
  readonly #estimating: NodeJS.Timeout | undefined;
  readonly #clock: EpochClock;
  readonly #start: Parts['start'];
  readonly #candidates: Candidates | undefined;
  readonly #callSites: CallSites;
  readonly #spikes: Spikes | undefined;
  readonly #costTables: CostTables;
  #goroutineCosts: GoroutineCostReader | undefined;
  #spanCosts: SpanCostReader | undefined;
  /** Settles when the snapshot has been taken that was asked for last. */
  #taken: Promise<unknown> = Promise.resolve();
  #end: Promise<Snapshot> | undefined;

  private constructor(parts: Parts, options: ObservationOptions) {
    const { binary, exemplars, spikes, spanCosts } = options;
    this.#clock = parts.clock;
    this.#start = parts.start;
    this.#plan = parts.plan;
    this.warnings = parts.warnings;
    this.#program = parts.program;
    const { kernel, aggregates } = parts.program;
    this.#recycling = new AggregateRecycling(kernel, this.#aggregates, aggregates);
    this.#follower = parts.follower;
    this.#schedule = parts.schedule;
    if (options.mode === 'windows') {
      this.#estimating = setInterval(() => void this.#estimate(), ESTIMATE_MILLIS).unref();
    }
    const own = ownTypes(parts.program.elsewhere);
    this.#runtimeTypes = new RuntimeTypes(binary, own);
    this.#namer = new Namer(binary, parts.plan, this.#runtimeTypes, own);
    this.#callSites = new CallSites(this.#namer, options.siteBudget ?? new SiteBudget(DEFAULT_CALL_SITES));
    this.#candidates = exemplars && new Candidates(new CandidateReader(this.#namer), parts);
    this.#spikes = spikes && new Spikes(spikes, this.#namer, parts);
    if (parts.countsGoroutines) {
      this.#goroutineCosts = new GoroutineCostReader(parts.program);
    }
    if (spanCosts && parts.follower) {
      this.#spanCosts = new SpanCostReader(parts.program);
    }
    this.#costTables = new CostTables(parts.program, [
      ...(this.#goroutineCosts ? [this.#goroutineCosts] : []),
      ...(this.#spanCosts ? [this.#spanCosts] : []),
    ]);
  }

  /**
   * Plans the probe sites, compares them with the target's memory, loads the program, and attaches or starts the windows.
   *
   * @throws UserError when the target or the machine cannot be observed; nothing is left behind then
   */
  static async start(options: ObservationOptions): Promise<Observation> {
    return new Observation(await assemble(options), options);
  }

  /** Sets the share of the target's CPU time that this may cost from now on. */
  setBudget(budget: number): void {
    this.#schedule.setBudget(budget);
  }

  /**
   * Candidates for exemplars since the last call. A snapshot collects them before it reads the counts, so it counts every
   * one of their lookups.
   */
  drainCandidates(): ExemplarCandidate[] {
    return this.#candidates?.drain() ?? [];
  }

  /**
   * Reads the spikes since the last call and reports a few per call site, type and result. To be called about
   * once a second while the observation runs; its end reads the last ones.
   */
  async collectSpikes(): Promise<void> {
    await this.#spikes?.collect(this.#isObserved);
  }

  /** Makes room in the kernel for the costs of other goroutines and spans. */
  async #drainCosts(): Promise<void> {
    if (this.#goroutineCosts || this.#spanCosts) {
      await this.#costTables.drain();
    }
  }

  readonly #isObserved = (functionIndex: number): boolean =>
    this.#plan.functions[functionIndex]?.outcome === 'probed';

  /** Resolves, with the error, when observing cannot go on although the target lives. stop() is to be called all the same. */
  get failed(): Promise<unknown> {
    return this.#schedule.failed;
  }

  get plan(): ProbePlan {
    return this.#plan;
  }

  /**
   * Leaves functions out of all snapshots from now on: those that this plan, of the same binary, refuses. Per-goroutine and
   * per-span counts end then, because the part of a function cannot be taken out of them again.
   */
  restrictTo(plan: ProbePlan): void {
    if (plan.functions.some((fn, i) => fn.outcome !== this.#plan.functions[i]?.outcome)) {
      this.#goroutineCosts = this.#spanCosts = undefined;
      this.#leavesOut = true;
    }
    this.#plan = plan;
  }

  /**
   * Reads what cannot wait for the next snapshot, which may be far off; to be called about once a second: what the target has used
   * can only be read while it lives, and there is room for the goroutines of a second.
   */
  async tend(): Promise<void> {
    this.#schedule.tend();
    if (this.#goroutineCosts || this.#spanCosts) {
      await this.#costTables.makeRoom();
    }
  }

  /**
   * What the live line tells. A snapshot reads and names all that was counted, and ends cycles of the kernel's; this reads a few
   * counters, unless functions were left out: then what they have counted has to be told apart.
   */
  async progress(): Promise<ObservationProgress> {
    const { windowClosed: notDecoded, ...counters } = await readCounters(this.#program.kernel);
    return {
      observed: observedOf({ ...counters, notDecoded, leftOut: await this.#leftOut() }),
      unreadable: counters.unreadable,
      dropped: counters.dropped,
      ...this.#times(),
    };
  }

  #times(): Pick<Snapshot, 'windows' | 'attachedSeconds' | 'seconds'> {
    return {
      windows: this.#schedule.windows,
      attachedSeconds: this.#schedule.attachedSeconds(),
      seconds: (performance.now() - this.#start.at) / 1000,
    };
  }

  async #leftOut(): Promise<number> {
    if (!this.#leavesOut) {
      return 0;
    }
    const contents = await this.#aggregates.contents(this.#program.kernel);
    const all = [...contents.counts()];
    return sum(all.map(([{ functionIndex }, lookups]) => (this.#isObserved(functionIndex) ? 0 : lookups)));
  }

  /** What has been observed so far; from stop() on, what was at the end. */
  snapshot(): Promise<Snapshot> {
    return this.#end ?? this.#next();
  }

  /** They are taken one after the other: each ends cycles of the kernel's. */
  #next(): Promise<Snapshot> {
    const take = () => this.#take();
    const next = this.#taken.then(take, take);
    this.#taken = next;
    return next;
  }

  async #take(): Promise<Snapshot> {
    const { kernel } = this.#program;
    const cycle = this.#program.beginCycle();
    await this.#candidates?.collect(cycle);
    // Lookups made while the counts are read are not all among them: the snapshot is of the moment before.
    const time = this.#clock.now();
    await this.#drainCosts();
    const goroutines = await this.#goroutineCosts?.read();
    const spans = await this.#spanCosts?.read();
    const following = await this.#follower?.following();
    await this.#schedule.refresh();
    await this.#recycling.settle();
    const contents = await this.#aggregates.contents(kernel, cycle);
    const counters = await readCounters(kernel);
    const all = contents.counts();
    this.#estimates.update(lookupCounts(all), this.#schedule.sampled(counters));
    const counts = new Map([...all].filter(([{ functionIndex }]) => this.#isObserved(functionIndex)));
    if ([...counts.keys()].some(({ runtimeType }) => runtimeType)) {
      await this.#runtimeTypes.refresh(kernel);
    }
    const estimateOf = (name: AggregateName): number => this.#estimates.of(name);
    const { inexact, ...sites } = this.#callSites.tell({ contents, counts, estimateOf, time });
    const functions = functionStats(this.#plan, counts, estimateOf);
    this.#namer.settle();
    this.#takeBack(contents);
    await this.#recycling.makeRoom(() => this.#callSites.lightest());
    const spikes = this.#spikes?.totals(counters.lost.spikes, this.#isObserved);
    const observed = sum(counts.values());
    return {
      time,
      startTime: this.#start.time,
      ...sites,
      ...hitCounts(counters),
      observed,
      leftOut: sum(all.values()) - observed,
      inexact: totalInexact(inexact),
      ...this.#times(),
      overhead: this.#schedule.overhead(counters),
      functions,
      refused: refusedFunctions(this.#plan),
      fullTables: fullTables(counters, {
        ...{ others: sites.others, counts, goroutines, spans, following },
        ...{ candidates: this.#candidates, looksForSpikes: this.#spikes !== undefined },
      }),
      ...(spikes && { spikes }),
      ...(goroutines && { goroutines }),
      ...(spans && { spans }),
      ...(following && { following }),
    };
  }

  /** Takes the room of names back that are hardly used any more. Their lookups stay counted. */
  #takeBack(contents: AggregateContents): void {
    const taken = this.#recycling.takeBack(contents, (name) => this.#callSites.isKept(name));
    for (const [name, lookups] of taken?.lookups ?? []) {
      this.#estimates.move(lookups, name, otherName(name));
    }
    for (const name of taken?.gone ?? []) {
      this.#estimates.forget(name);
    }
    this.#callSites.forget(taken?.gone ?? []);
  }

  async #estimate(): Promise<void> {
    try {
      const counts = await this.#aggregates.readLookups(this.#program.kernel);
      this.#estimates.update(counts, this.#schedule.sampled(await readCounters(this.#program.kernel)));
    } catch {
      // The observation is ending; stop() reports what is wrong with it, if anything.
    }
  }

  /** For a process that has executed another program: whether all that was counted is of that one. To be asked before stop(). */
  countsTheNextImage(): Promise<boolean> {
    return this.#program.countsTheNextImage();
  }

  /**
   * Detaches, takes the last snapshot, and gives everything back.
   *
   * @param cpuSeconds what the target has used in all its life, when it has ended and that is known
   */
  stop(cpuSeconds?: number | null): Promise<Snapshot> {
    this.#end ??= this.#finish(cpuSeconds);
    return this.#end;
  }

  async #finish(cpuSeconds: number | null | undefined): Promise<Snapshot> {
    clearInterval(this.#estimating);
    if (typeof cpuSeconds === 'number') {
      this.#schedule.targetEnded(cpuSeconds);
    }
    try {
      await this.#schedule.stop();
      await this.#follower?.detach();
      await this.collectSpikes();
      return await this.#next();
    } finally {
      this.#callSites.close();
      this.#program.close();
      await this.#follower?.close();
    }
  }
}
