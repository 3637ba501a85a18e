import { EXIT, UserError } from '../base/errors.ts';
import { type GoBinary, goroutineLayout } from '../gobinary/index.ts';
import type { AttachMethod } from '../kernel/addon.ts';
import { EpochClock } from '../kernel/epoch-clock.ts';
import type { ObservationMode, RefusedFunction } from '../model/snapshot.ts';
import type { Spike, SpikeThreshold } from '../model/spike.ts';
import type { ExemplarOptions, LabelNames, TraceSource } from '../model/trace-sources.ts';
import type { ProbePlan } from '../plan/lookups/plan.ts';
import type { TraceSourcePlan } from '../plan/traces/plan.ts';
import { LookupProgram } from '../programs/lookup-program.ts';
import type { Preparation } from '../programs/preparation/preparation.ts';
import { fitting, SpanFollower } from '../programs/span-follower.ts';
import type { Executable } from '../target/executable.ts';
import { MappedBinary } from '../target/mapped.ts';
import { FollowerCost } from './cost/follower-cost.ts';
import type { SiteBudget } from './sites/site-budget.ts';
import type { NodeBudget } from './windows/node-budget.ts';
import { WindowSchedule } from './windows/schedule.ts';

/* What an observation is made of: planned, compared with the target, loaded and attached. */
export interface ObservationOptions {
  readonly pid: number;
  /** What the process executes, held open by the caller until the observation has stopped. */
  readonly executable: Executable;
  /** What was read from it. */
  readonly binary: GoBinary;
  readonly mode: ObservationMode;
  /** Share of the target's CPU time that observation may cost, 0..1. Windows mode only. */
  readonly budget: number;
  /** What all targets of the node share; see WindowOptions. */
  readonly node?: NodeBudget;
  readonly attachMethod?: AttachMethod;
  /** What was worked out from the binary. Without it the observation prepares in this process, whose memory is not all given back. */
  readonly preparation?: Preparation;
  /** Default: the plan of the preparation. */
  readonly plan?: ProbePlan;
  /** Which candidates for exemplars to keep; without it none. */
  readonly exemplars?: ExemplarOptions;
  /** Which lookups are reported as spikes; without it none. */
  readonly spikes?: SpikeOptions;
  /** pprof labels that name traces; without it labels are not looked at. */
  readonly labels?: LabelNames;
  /** Sources to follow spans by, where the target has them; without it none. */
  readonly followed?: readonly FollowedSource[];
  /** Path of the pinned map in which OBI says what threads work for. */
  readonly threadContextMap?: string;
  /** Also count lookups per goroutine. */
  readonly goroutineCosts?: boolean;
  /** Also count lookups per followed span. */
  readonly spanCosts?: boolean;
  /** Names (call site, type, function and result) that the kernel tells apart at a time; default: 4,096. */
  readonly maxCallSites?: number;
  /** How many call sites and map types are kept apart, and with whom that is shared; default: as the option's default, with nobody. */
  readonly siteBudget?: SiteBudget;
  /** Called with a sentence when the budget cannot be kept. */
  readonly warn?: (sentence: string) => void;
}

/** Which lookups are spikes, and where they go. */
export interface SpikeOptions {
  readonly threshold: SpikeThreshold;
  readonly onSpikes?: (spikes: readonly Spike[]) => void;
}

/** The sources of traces that cost a trap per span. */
export type FollowedSource = Exclude<TraceSource, 'labels' | 'obi'>;

const UNKNOWN_GOROUTINES =
  'Per-goroutine counts are turned off: mapscope does not know where this Go release keeps goroutine ids.';

/** What an observation is made of. */
export interface Parts {
  readonly plan: ProbePlan;
  readonly warnings: readonly string[];
  readonly program: LookupProgram;
  readonly follower: SpanFollower | undefined;
  readonly schedule: WindowSchedule;
  readonly clock: EpochClock;
  /** From when on lookups are counted: by that clock, and in milliseconds of performance.now(). */
  readonly start: { readonly time: bigint; readonly at: number };
  /** Lookups are counted per goroutine. */
  readonly countsGoroutines: boolean;
}

/**
 * Plans the probe sites, compares them with the target's memory, loads the programs, and attaches or starts the windows.
 *
 * @throws UserError when the target or the machine cannot be observed; nothing is left behind then
 */
export async function assemble(wanted: ObservationOptions): Promise<Parts> {
  const known = goroutineLayout(wanted.binary.version.minor) !== undefined;
  const options = known ? wanted : { ...wanted, goroutineCosts: false };
  const { spikes, ...others } = options;
  const { pid, binary } = options;
  const traces = (options.followed ?? []).length > 0;
  const preparation = await preparationFor(binary, options, traces);
  const { plan } = preparation;
  if (plan.sites.length === 0) {
    throw new UserError(nothingToProbe(plan), EXIT.cannotObserve);
  }
  const clock = new EpochClock();
  const target = MappedBinary.of(pid, options.executable, binary);
  target.checkCode(plan.sites);
  const tracePlans = wantedPlans(preparation.tracePlans ?? [], options.followed ?? []).map(fitting);
  const follower = await SpanFollower.load({ ...options, target, plans: tracePlans });
  let program: LookupProgram | undefined;
  try {
    program = await LookupProgram.load({
      ...others,
      target,
      preparation,
      gated: true,
      ...(follower && { follower }),
      ...(spikes && { spikes: spikes.threshold }),
    });
    const schedule = new WindowSchedule(program, {
      ...options,
      costSources: follower ? [new FollowerCost(follower, program.attachMethod, options.warn)] : [],
    });
    // Before the first probe is in: lookups count, and have times, from here on.
    const start = { time: clock.now(), at: performance.now() };
    await follower?.attach();
    await schedule.start();
    binary.forget();
    const warnings = [...tracePlans.flatMap(refusalToFollow), ...program.warnings];
    if (wanted.goroutineCosts && !known) {
      warnings.push(UNKNOWN_GOROUTINES);
    }
    const countsGoroutines = options.goroutineCosts === true;
    return { plan, warnings, program, follower, schedule, clock, start, countsGoroutines };
  } catch (error) {
    program?.close();
    await follower?.close();
    throw error;
  }
}

/** The plans of the wanted sources; of goroutines too, since children work for the spans of those who began them. */
function wantedPlans(
  plans: readonly TraceSourcePlan[],
  wanted: readonly FollowedSource[],
): TraceSourcePlan[] {
  if (wanted.length === 0) {
    return [];
  }
  const sources: readonly string[] = [...wanted, 'goroutines'];
  return plans.filter(({ source }) => sources.includes(source));
}

function refusalToFollow(plan: TraceSourcePlan): string[] {
  if (plan.outcome !== 'refused') {
    return [];
  }
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
  const prepared = enough
    ? preparation
    : (await import('../programs/preparation/preparation.ts')).prepare(binary, { traces });
  return plan === undefined ? prepared : { ...prepared, plan };
}

/** The lookup functions that are not observed, and why. */
export function refusedFunctions(plan: ProbePlan): RefusedFunction[] {
  return plan.functions.flatMap((fn) =>
    fn.outcome === 'refused' ? [{ name: fn.name, reason: fn.reason }] : [],
  );
}

function nothingToProbe(plan: ProbePlan): string {
  const refused = refusedFunctions(plan);
  if (refused.length === 0) {
    return 'The program has no map lookup functions, so there is nothing to observe.';
  }
  return `No lookup function could be proven safe to probe: ${refused.map((r) => `${r.name}: ${r.reason}`).join('; ')}.`;
}
