import { OtlpExport } from '../export/otlp.ts';
import { otlpSettings } from '../export/otlp-config.ts';
import { createProgress } from '../export/progress.ts';
import { targetResource } from '../export/resource.ts';
import type { Snapshot } from '../model/snapshot.ts';
import type { Target } from '../model/target.ts';
import { Observation, type ObservationOptions } from '../observe/observation.ts';
import type { ProbePlan } from '../probesites/plan.ts';
import { findThreadContextMap } from '../target/threadcontext.ts';
import type { FunctionVerdict } from '../verify/result.ts';
import { withoutDisagreeing } from '../verify/verdict.ts';
import type { Prepared } from './executables.ts';
import { log } from './log.ts';
import { giveMemoryBack } from './memory.ts';
import type { Settings } from './settings.ts';
import { SpikeReporting } from './spikes.ts';
import { describeTarget } from './target.ts';

/** How often the live line is renewed, in milliseconds. */
const PROGRESS_MILLIS = 1000;

/** One observed target: the observation, its export and its line on the terminal. */
export class ObservedTarget {
  readonly target: Target;
  readonly #observation: Observation;
  readonly #export: OtlpExport | undefined;
  readonly #progress = createProgress(process.stderr);
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #spikes: SpikeReporting;
  #final: Snapshot | undefined;

  private constructor(
    target: Target,
    observation: Observation,
    spikes: SpikeReporting,
    settings: Settings,
    withProgress: boolean,
  ) {
    this.#spikes = spikes;
    this.target = target;
    this.#observation = observation;
    this.#export = OtlpExport.create({
      source: async () => spikes.account(this.#final ?? (await observation.snapshot())),
      candidates: observation,
      mapImplementation: target.mapImplementation,
      resource: targetResource(target),
      log,
      perGoroutine: settings.perGoroutine ?? 0,
      onExported: giveMemoryBack,
      ...(settings.otlpEndpoint !== undefined && { endpoint: settings.otlpEndpoint }),
    });
    this.#timer = setInterval(() => this.#tick(withProgress && this.#progress.visible), PROGRESS_MILLIS);
    for (const { name, reason } of observation.plan.functions.flatMap(refusal))
      log('warn', `${name} is not observed: ${reason}.`);
    for (const warning of observation.warnings) log('warn', warning);
  }

  /**
   * @param withProgress false while the target writes to the same terminal
   * @param plan default: what was planned for the binary
   */
  static async start(
    pid: number,
    { binary, preparation }: Prepared,
    settings: Settings,
    withProgress: boolean,
    plan?: ProbePlan,
  ): Promise<ObservedTarget> {
    const target = describeTarget(pid, binary);
    const spikes = new SpikeReporting(target, settings, log);
    const observation = await Observation.start({
      pid,
      binary,
      mode: settings.mode,
      budget: settings.budget,
      ...(preparation !== undefined && { preparation }),
      ...(plan !== undefined && { plan }),
      warn: (sentence) => log('warn', sentence),
      ...tracingOptions(settings, spikes.options !== undefined),
      ...(spikes.options && { spikes: spikes.options }),
      goroutineCosts: settings.goroutines !== 0,
      ...(settings.attachMethod !== undefined && { attachMethod: settings.attachMethod }),
    });
    try {
      return new ObservedTarget(target, observation, spikes, settings, withProgress);
    } catch (error) {
      await observation.stop();
      throw error;
    }
  }

  /** Leaves the functions out that a verification found to be decoded wrongly, so far and from now on. */
  leaveOutDisagreeing(found: readonly FunctionVerdict[]): void {
    const before = this.#observation.plan;
    this.#observation.restrictTo(withoutDisagreeing(before, found));
    if (this.#observation.plan !== before)
      log('warn', 'Lookups are not told by goroutine, for those of functions that disagree are among them.');
  }

  /** Resolves, with the error, when observing cannot go on although the target lives. */
  get failed(): Promise<unknown> {
    return this.#observation.failed;
  }

  /** Ends the observation; the last state goes to the collector, and a failure to get it there to the user. */
  async stop(): Promise<Snapshot> {
    clearInterval(this.#timer);
    this.#progress.clear();
    this.#final = await this.#observation.stop();
    await this.#spikes.stop();
    this.#final = this.#spikes.account(this.#final);
    const delivery = await this.#export?.shutdown();
    if (delivery?.problem !== undefined) log('warn', delivery.problem);
    return this.#final;
  }

  async #tick(withProgress: boolean): Promise<void> {
    try {
      await this.#observation.collectSpikes();
      if (withProgress) this.#progress.update(await this.#observation.snapshot());
      else await this.#observation.tend();
    } catch {
      // The observation is ending; stop() reports what is wrong with it, if anything.
    }
  }
}

/**
 * Exemplars cost a little at each lookup, spans at each of theirs, and nobody but an OTLP receiver gets exemplars. Spikes
 * have a trace, too, and spans have their costs in the report.
 */
function tracingOptions(
  settings: Settings,
  withSpikes: boolean,
): Pick<ObservationOptions, 'exemplars' | 'labels' | 'followed' | 'spanCosts' | 'threadContextMap'> {
  // The export, which is made later from the same settings, says what it does not understand in them.
  const filter = otlpSettings(settings.otlpEndpoint, process.env, () => {})?.exemplarFilter ?? 'always_off';
  const withExemplars = filter !== 'always_off';
  const withSpans = (settings.spans ?? 0) > 0;
  if (!withExemplars && !withSpikes && !withSpans) return {};
  const { traceLabels, spanLabels, traceSources } = settings;
  const labels = traceSources.includes('labels') ? { labels: { traceLabels, spanLabels } } : {};
  const threadContextMap = traceSources.includes('obi') ? findThreadContextMap(process.env) : undefined;
  return {
    ...(withExemplars && { exemplars: { withoutTrace: filter === 'always_on' } }),
    ...labels,
    spanCosts: settings.spans !== 0,
    followed: traceSources.filter((source) => source !== 'labels' && source !== 'obi'),
    ...(threadContextMap !== undefined && { threadContextMap }),
  };
}

type Planned = Observation['plan']['functions'][number];

function refusal(fn: Planned): { name: string; reason: string }[] {
  return fn.outcome === 'refused' ? [{ name: fn.name, reason: fn.reason }] : [];
}
