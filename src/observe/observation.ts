import { EXIT, UserError } from '../errors.ts';
import { type GoBinary, goroutineLayout } from '../gobinary/index.ts';
import type { AttachMethod } from '../kernel/addon.ts';
import type { ExemplarCandidate } from '../model/candidate.ts';
import type { FunctionStats, ObservationMode, RefusedFunction, Snapshot } from '../model/snapshot.ts';
import type { Spike, SpikeThreshold, SpikeTotals } from '../model/spike.ts';
import type { ProbePlan } from '../probesites/plan.ts';
import { checkMappedBytes, loadBias } from '../target/mapped.ts';
import type { TraceSourcePlan } from '../tracesites/plan.ts';
import { type Aggregate, AggregateReader, inexactReasons, readCounters } from './aggregates.ts';
import { CandidateReader } from './candidates.ts';
import { CostTables } from './costtables.ts';
import { LookupEstimates } from './estimate.ts';
import { fitting, SpanFollower } from './follower.ts';
import { FollowerCost } from './followercost.ts';
import { GoroutineCostReader } from './goroutinecosts.ts';
import type { ExemplarOptions, LabelNames, TraceSource } from './goroutinedata.ts';
import { Namer } from './naming.ts';
import type { Preparation } from './preparation.ts';
import { LookupProgram } from './program.ts';
import { RuntimeTypes } from './runtimetypes.ts';
import { SpanCostReader } from './spancosts.ts';
import { SpikeReader } from './spikes.ts';
import { WindowSchedule } from './windows.ts';

export interface ObservationOptions {
  readonly pid: number;
  readonly binary: GoBinary;
  readonly mode: ObservationMode;
  /** Share of the target's CPU time that observation may cost, 0..1. Windows mode only. */
  readonly budget: number;
  readonly attachMethod?: AttachMethod;
  /** What was worked out from the binary; by default it is done here, which takes memory that is not all given back. */
  readonly preparation?: Preparation;
  /** Default: what was planned then. */
  readonly plan?: ProbePlan;
  /** Which candidates for exemplars to keep; without it none. */
  readonly exemplars?: ExemplarOptions;
  /** Which lookups are told of as spikes; without it none. */
  readonly spikes?: SpikeOptions;
  /** pprof labels that name traces; without it labels are not looked at. */
  readonly labels?: LabelNames;
  /** By what spans are followed where the target has it; without it none are. */
  readonly followed?: readonly FollowedSource[];
  /** Path of the pinned map in which OBI says what threads work for. */
  readonly threadContextMap?: string;
  /** Count lookups for each goroutine, too. */
  readonly goroutineCosts?: boolean;
  /** Count lookups for each followed span, too. */
  readonly spanCosts?: boolean;
  /** Told in a sentence when the budget cannot be kept. */
  readonly warn?: (sentence: string) => void;
}

/** Which lookups are spikes, and who is told of them. */
export interface SpikeOptions {
  readonly threshold: SpikeThreshold;
  readonly onSpikes?: (spikes: readonly Spike[]) => void;
}

/** The sources of traces that cost a trap per span. */
export type FollowedSource = Exclude<TraceSource, 'labels' | 'obi'>;

/**
 * How often estimates take in what was counted, when nobody asks for snapshots: what windows stand for changes with the
 * load, and all that was counted in between is scaled alike.
 */
const ESTIMATE_MILLIS = 10_000;

/** Candidates kept for the next export. */
const MOST_CANDIDATES = 20_000;

const UNKNOWN_GOROUTINES =
  'Lookups are not counted by goroutine: where this release of Go keeps the number of a goroutine is not known.';

/** What an observation is made of. */
interface Parts {
  readonly plan: ProbePlan;
  readonly warnings: readonly string[];
  readonly program: LookupProgram;
  readonly follower: SpanFollower | undefined;
  readonly schedule: WindowSchedule;
}

/** A running observation of one target: start it, take snapshots while it runs, stop it. */
export class Observation {
  /** What could not be set up as wanted, in sentences; the observation goes on without it. */
  readonly warnings: readonly string[];
  #plan: ProbePlan;
  readonly #program: LookupProgram;
  readonly #follower: SpanFollower | undefined;
  readonly #schedule: WindowSchedule;
  readonly #namer: Namer;
  readonly #runtimeTypes: RuntimeTypes;
  readonly #aggregates = new AggregateReader();
  readonly #estimates = new LookupEstimates();
  readonly #estimating: NodeJS.Timeout | undefined;
  readonly #startTime = wallClock();
  readonly #started = performance.now();
  readonly #withExemplars: boolean;
  readonly #candidateReader: CandidateReader;
  readonly #candidates: ExemplarCandidate[] = [];
  readonly #spikeReader: SpikeReader;
  readonly #spikes: SpikeOptions | undefined;
  readonly #costTables: CostTables;
  #goroutineCosts: GoroutineCostReader | undefined;
  #spanCosts: SpanCostReader | undefined;
  #lastSnapshot: Snapshot | undefined;

  private constructor(parts: Parts, options: ObservationOptions) {
    const { binary, exemplars, spikes, goroutineCosts, spanCosts } = options;
    this.#plan = parts.plan;
    this.warnings = parts.warnings;
    this.#program = parts.program;
    this.#follower = parts.follower;
    this.#schedule = parts.schedule;
    if (options.mode === 'windows')
      this.#estimating = setInterval(() => void this.#estimate(), ESTIMATE_MILLIS).unref();
    this.#runtimeTypes = new RuntimeTypes(binary);
    this.#namer = new Namer(binary, parts.plan, this.#runtimeTypes);
    this.#candidateReader = new CandidateReader(this.#namer);
    this.#withExemplars = exemplars !== undefined;
    this.#spikes = spikes;
    this.#spikeReader = new SpikeReader(this.#namer);
    if (goroutineCosts) this.#goroutineCosts = new GoroutineCostReader(parts.program);
    if (spanCosts && parts.follower) this.#spanCosts = new SpanCostReader(parts.program);
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
  static async start(wanted: ObservationOptions): Promise<Observation> {
    const known = goroutineLayout(wanted.binary.version.minor) !== undefined;
    const options = known ? wanted : { ...wanted, goroutineCosts: false };
    const { spikes, ...others } = options;
    const { pid, binary } = options;
    const traces = (options.followed ?? []).length > 0;
    const preparation = await preparationFor(binary, options, traces);
    const { plan } = preparation;
    if (plan.sites.length === 0) throw new UserError(nothingToProbe(plan), EXIT.cannotObserve);
    const bias = loadBias(pid, binary);
    checkMappedBytes(pid, bias, plan.sites);
    const tracePlans = wantedPlans(preparation.tracePlans ?? [], options.followed ?? []).map(fitting);
    const follower = await SpanFollower.load({ ...options, bias, plans: tracePlans });
    let program: LookupProgram | undefined;
    try {
      program = await LookupProgram.load({
        ...others,
        preparation,
        gated: true,
        ...(follower && { follower }),
        ...(spikes && { spikes: spikes.threshold }),
      });
      const schedule = new WindowSchedule(program, {
        ...options,
        costSources: follower ? [new FollowerCost(follower, program.attachMethod, options.warn)] : [],
      });
      await follower?.attach();
      await schedule.start();
      binary.forget();
      const warnings = [...tracePlans.flatMap(refusalToFollow), ...program.warnings];
      if (wanted.goroutineCosts && !known) warnings.push(UNKNOWN_GOROUTINES);
      return new Observation({ plan, warnings, program, follower, schedule }, options);
    } catch (error) {
      program?.close();
      follower?.close();
      throw error;
    }
  }

  /**
   * Candidates for exemplars since the last call. A snapshot collects them before it reads the counts, so it counts every
   * one of their lookups.
   */
  drainCandidates(): ExemplarCandidate[] {
    return this.#candidates.splice(0);
  }

  /** Collects the candidates of the cycle that ends; bounded, since nobody may ask for them. */
  async #collectCandidates(): Promise<void> {
    const cycle = this.#program.beginExemplarCycle();
    this.#candidates.push(...(await this.#candidateReader.read(this.#program.kernel, cycle)));
    if (this.#candidates.length > MOST_CANDIDATES)
      this.#candidates.splice(0, this.#candidates.length - MOST_CANDIDATES);
  }

  /**
   * Reads the spikes since the last call and tells of them: of each call site, type and result a few. To be called about
   * once a second while the observation runs; its end reads the last ones.
   */
  async collectSpikes(): Promise<void> {
    if (this.#spikes === undefined) return;
    const cycle = this.#program.beginSpikeCycle();
    const spikes = await this.#spikeReader.read(this.#program.kernel, cycle, this.#isObserved);
    if (spikes.length > 0) this.#spikes.onSpikes?.(spikes);
  }

  /** Makes room in the kernel for the costs of other goroutines and spans. */
  async #drainCosts(): Promise<void> {
    if (this.#goroutineCosts || this.#spanCosts) await this.#costTables.drain();
  }

  readonly #isObserved = (functionIndex: number): boolean =>
    this.#plan.functions[functionIndex]?.outcome === 'probed';

  #spikeTotals(noMemory: number): SpikeTotals | undefined {
    if (this.#spikes === undefined) return undefined;
    const { seen, told, latest } = this.#spikeReader.totals(this.#isObserved);
    return {
      threshold: this.#spikes.threshold,
      seen: seen + noMemory,
      delivered: 0,
      suppressed: { rate_limit: Math.max(0, seen - told), no_memory: noMemory },
      latest,
    };
  }

  /** Resolves, with the error, when observing cannot go on although the target lives. stop() is to be called all the same. */
  get failed(): Promise<unknown> {
    return this.#schedule.failed;
  }

  get plan(): ProbePlan {
    return this.#plan;
  }

  /**
   * Leaves functions out of all snapshots from now on: those that this plan, of the same binary, refuses. Lookups are then
   * no more told by goroutine or span, because what was counted there of a function cannot be taken out again.
   */
  restrictTo(plan: ProbePlan): void {
    if (plan.functions.some((fn, i) => fn.outcome !== this.#plan.functions[i]?.outcome))
      this.#goroutineCosts = this.#spanCosts = undefined;
    this.#plan = plan;
  }

  /**
   * Reads what cannot wait for the next snapshot, if that is far off; to be called about once a second. Map types made at run
   * time can only be named while the target lives, and there is room for the goroutines of a second.
   */
  async tend(): Promise<void> {
    await this.#runtimeTypes.refresh(this.#program.kernel);
    if (this.#goroutineCosts || this.#spanCosts) await this.#costTables.makeRoom();
  }

  /** What has been observed so far. */
  async snapshot(): Promise<Snapshot> {
    if (this.#withExemplars) await this.#collectCandidates();
    // Lookups made while the counts are read are not all among them: the snapshot is of the moment before.
    const time = wallClock();
    await this.#drainCosts();
    const goroutines = await this.#goroutineCosts?.read();
    const spans = await this.#spanCosts?.read();
    const following = await this.#follower?.following();
    const all = await this.#aggregates.read(this.#program.kernel);
    const aggregates = all.filter((a) => this.#isObserved(a.functionIndex));
    const counters = await readCounters(this.#program.kernel);
    this.#estimates.update(all, this.#schedule.sampled(counters));
    if (aggregates.some((a) => a.runtimeType)) await this.#runtimeTypes.refresh(this.#program.kernel);
    const spikes = this.#spikeTotals(counters.lostSpikes);
    const snapshot: Snapshot = {
      time,
      startTime: this.#startTime,
      callSites: aggregates
        .filter((a) => a.lookups > 0)
        .map((a) => this.#namer.stats(a, this.#estimates.of(a))),
      hits: counters.hits,
      observed: aggregates.reduce((sum, a) => sum + a.lookups, 0),
      deferred: counters.deferred,
      unreadable: counters.unreadable,
      dropped: counters.dropped,
      notDecoded: counters.windowClosed,
      inexact: totalInexact(aggregates),
      windows: this.#schedule.windows,
      attachedSeconds: this.#schedule.attachedSeconds(),
      seconds: (performance.now() - this.#started) / 1000,
      overhead: this.#schedule.overhead(counters),
      functions: this.#functionStats(aggregates),
      refused: refusedFunctions(this.#plan),
      ...(spikes && { spikes }),
      ...(goroutines && { goroutines }),
      ...(spans && { spans }),
      ...(following && { following }),
    };
    this.#lastSnapshot = snapshot;
    return snapshot;
  }

  async #estimate(): Promise<void> {
    try {
      const counts = await this.#aggregates.readLookups(this.#program.kernel);
      this.#estimates.update(counts, this.#schedule.sampled(await readCounters(this.#program.kernel)));
    } catch {
      // The observation is ending; stop() reports what is wrong with it, if anything.
    }
  }

  /** The latest snapshot, without reading the kernel again. */
  get lastSnapshot(): Snapshot | undefined {
    return this.#lastSnapshot;
  }

  /** Detaches, takes the last snapshot, and gives everything back. */
  async stop(): Promise<Snapshot> {
    clearInterval(this.#estimating);
    try {
      await this.#schedule.stop();
      await this.collectSpikes();
      return await this.snapshot();
    } finally {
      this.#program.close();
      this.#follower?.close();
    }
  }

  #functionStats(aggregates: readonly Aggregate[]): FunctionStats[] {
    return this.#plan.functions.flatMap((fn, index) => {
      if (fn.outcome !== 'probed') return [];
      const own = aggregates.filter((a) => a.functionIndex === index);
      const sum = (of: readonly Aggregate[]) => of.reduce((total, a) => total + a.lookups, 0);
      const estimatedLookups = own.reduce((total, a) => total + this.#estimates.of(a), 0);
      const hits = sum(own.filter((a) => a.hit));
      const lookups = sum(own);
      return [
        {
          name: fn.name.replace(/^runtime\./, ''),
          lookups,
          estimatedLookups,
          hits,
          misses: lookups - hits,
          sites: fn.sites,
        },
      ];
    });
  }
}

/** The plans of the wanted sources; of goroutines too, since children work for the spans of those who began them. */
function wantedPlans(
  plans: readonly TraceSourcePlan[],
  wanted: readonly FollowedSource[],
): TraceSourcePlan[] {
  if (wanted.length === 0) return [];
  const sources: readonly string[] = [...wanted, 'goroutines'];
  return plans.filter(({ source }) => sources.includes(source));
}

function refusalToFollow(plan: TraceSourcePlan): string[] {
  if (plan.outcome !== 'refused') return [];
  const what = plan.source === 'goroutines' ? 'Goroutines are' : `Spans of ${plan.source} are`;
  return [`${what} not followed: ${plan.reason}.`];
}

/** What was prepared before, if that is enough; else it is done here. */
async function preparationFor(
  binary: GoBinary,
  { preparation, plan }: ObservationOptions,
  traces: boolean,
): Promise<Preparation> {
  const enough = preparation !== undefined && (!traces || preparation.tracePlans !== undefined);
  // Loaded only when needed: it brings the disassembler along.
  const prepared = enough ? preparation : (await import('./preparation.ts')).prepare(binary, { traces });
  return plan === undefined ? prepared : { ...prepared, plan };
}

function refusedFunctions(plan: ProbePlan): RefusedFunction[] {
  return plan.functions.flatMap((fn) =>
    fn.outcome === 'refused' ? [{ name: fn.name, reason: fn.reason }] : [],
  );
}

function nothingToProbe(plan: ProbePlan): string {
  const refused = refusedFunctions(plan);
  if (refused.length === 0)
    return 'The program contains no map lookup functions: there is nothing to observe.';
  return `No lookup function could be proven safe to probe: ${refused.map((r) => `${r.name}: ${r.reason}`).join('; ')}.`;
}

function totalInexact(aggregates: readonly Aggregate[]): Record<string, number> {
  const totals: Record<string, number> = {};
  inexactReasons().forEach((reason, i) => {
    const total = aggregates.reduce((sum, a) => sum + (a.inexact[i] ?? 0), 0);
    if (total > 0) totals[reason] = total;
  });
  return totals;
}

/** Unix nanoseconds. */
function wallClock(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
