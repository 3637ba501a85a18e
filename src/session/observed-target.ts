import type { Resource } from '@opentelemetry/resources';
import { log } from '../base/log.ts';
import { STDERR } from '../base/terminal.ts';
import type { Settings } from '../config/settings.ts';
import type { CandidateSource } from '../model/candidate.ts';
import type { ObservationMode, Snapshot } from '../model/snapshot.ts';
import type { Target } from '../model/target.ts';
import type { FunctionVerdict } from '../model/verification.ts';
import type { ObservationOptions } from '../observe/assemble.ts';
import { Observation } from '../observe/observation.ts';
import { SiteBudget } from '../observe/sites/site-budget.ts';
import { OtlpExport } from '../otel/metrics/export.ts';
import { otlpSettings } from '../otel/settings/metrics-settings.ts';
import type { TargetWatch } from '../page/page.ts';
import type { ProbePlan } from '../plan/lookups/plan.ts';
import { createProgress } from '../report/progress.ts';
import type { Executable } from '../target/executable.ts';
import { ProcessImage } from '../target/image.ts';
import { findThreadContextMap } from '../target/thread-context.ts';
import { withoutDisagreeing } from '../verify/verdict.ts';
import { SharedCandidates } from './candidates.ts';
import type { Prepared } from './executables.ts';
import { claimIdentity, releaseIdentity } from './identity.ts';
import { giveMemoryBack, keepGarbageSmall } from './memory.ts';
import { nodeBudget } from './node-budget.ts';
import { SpikeReporting } from './spike-reporting.ts';
import { describeTarget } from './target.ts';

/** How often the live line is renewed, in milliseconds. */
const PROGRESS_MILLIS = 1000;
/** What is more fills several requests of an export. */
const MANY_CALL_SITES = 100;

let budget: SiteBudget | undefined;

/** One for all targets, whose settings are the same: they share the memory of this process. */
function siteBudget({ callSites }: Settings): SiteBudget {
  budget ??= new SiteBudget(callSites);
  return budget;
}

/** Takes what is seen of each target, for as long as it is observed. */
export interface Watcher {
  watch(target: Target, mode: ObservationMode): TargetWatch;
}

/** One observed target: the observation, its export and its line on the terminal. */
export class ObservedTarget {
  readonly target: Target;
  /** Resolves when the process executes something else: what comes after that is not of this target. */
  readonly replaced: Promise<void>;
  readonly #noticeReplacement: () => void;
  readonly #image: ProcessImage;
  readonly #executable: Executable;
  readonly #observation: Observation;
  readonly #export: OtlpExport | undefined;
  readonly #progress = createProgress(STDERR);
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #spikes: SpikeReporting;
  readonly #watch: TargetWatch | undefined;
  readonly #watchedCandidates: CandidateSource | undefined;
  #budget: number;
  #isTicking = false;
  readonly #companions: (() => Promise<void>)[] = [];

  private constructor(
    target: Target,
    resource: Resource,
    { executable, image }: { executable: Executable; image: ProcessImage },
    observation: Observation,
    spikes: SpikeReporting,
    settings: Settings,
    withProgress: boolean,
    watcher: Watcher | undefined,
  ) {
    this.#spikes = spikes;
    this.#budget = settings.budget;
    const candidates = new SharedCandidates(observation);
    this.#watchedCandidates = watcher && candidates.subscribe();
    this.#watch = watcher?.watch(target, settings.mode);
    this.target = target;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.replaced = promise;
    this.#noticeReplacement = resolve;
    this.#image = image;
    this.#executable = executable;
    this.#observation = observation;
    this.#export = OtlpExport.create({
      source: async () => {
        const snapshot = spikes.account(await observation.snapshot());
        if (snapshot.callSites.length > MANY_CALL_SITES) {
          // What reading leaves behind would come on top of what is made for the export.
          keepGarbageSmall();
        }
        return snapshot;
      },
      candidates: candidates.subscribe(),
      mapImplementation: target.mapImplementation,
      resource,
      log,
      perGoroutine: settings.perGoroutine ?? 0,
      onFullRequest: keepGarbageSmall,
      onExported: giveMemoryBack,
      ...(settings.otlpEndpoint !== undefined && { endpoint: settings.otlpEndpoint }),
    });
    this.#timer = setInterval(() => this.#tick(withProgress && this.#progress.visible), PROGRESS_MILLIS);
    for (const { name, reason } of observation.plan.functions.flatMap(refusal)) {
      log('warn', `${name} is not observed: ${reason}.`);
    }
    for (const warning of observation.warnings) {
      log('warn', warning);
    }
  }

  /**
   * @param withProgress false while the target writes to the same terminal
   * @param plan default: what was planned for the binary
   * @param watcher gets a snapshot each second
   */
  static async start(
    pid: number,
    { executable, binary, preparation }: Prepared,
    settings: Settings,
    withProgress: boolean,
    plan?: ProbePlan,
    watcher?: Watcher,
  ): Promise<ObservedTarget> {
    const image = new ProcessImage(pid);
    const target = describeTarget(pid, { executable, binary });
    const resource = claimIdentity(target);
    const spikes = new SpikeReporting(target, resource, settings, log);
    const node = nodeBudget(settings);
    const observation = await Observation.start({
      pid,
      executable,
      binary,
      mode: settings.mode,
      budget: settings.budget,
      ...(node !== undefined && { node }),
      ...(preparation !== undefined && { preparation }),
      ...(plan !== undefined && { plan }),
      warn: (sentence) => log('warn', sentence),
      ...tracingOptions(settings, spikes.options !== undefined, watcher !== undefined),
      ...(spikes.options && { spikes: spikes.options }),
      goroutineCosts: settings.goroutines !== 0,
      siteBudget: siteBudget(settings),
      ...(settings.attachMethod !== undefined && { attachMethod: settings.attachMethod }),
    }).catch((error: unknown) => {
      releaseIdentity(target);
      throw error;
    });
    try {
      return new ObservedTarget(
        target,
        resource,
        { executable, image },
        observation,
        spikes,
        settings,
        withProgress,
        watcher,
      );
    } catch (error) {
      releaseIdentity(target);
      await observation.stop();
      throw error;
    }
  }

  /** Sets the share of the process's CPU time that observing this image of it may cost. */
  setBudget(budget: number): void {
    this.#budget = budget;
    this.#observation.setBudget(budget);
  }

  /** The share of the process's CPU time that observing this image of it may cost. */
  get budget(): number {
    return this.#budget;
  }

  /** Removes functions that verification found to be decoded wrongly from past and future results. */
  leaveOutDisagreeing(found: readonly FunctionVerdict[]): void {
    const before = this.#observation.plan;
    this.#observation.restrictTo(withoutDisagreeing(before, found));
    if (this.#observation.plan !== before) {
      log(
        'warn',
        'Per-goroutine and per-span counts are turned off: they include functions that failed verification.',
      );
    }
  }

  /** Resolves, with the error, when observing cannot go on although the target lives. */
  get failed(): Promise<unknown> {
    return this.#observation.failed;
  }

  /** Whether the main thread has ended since the start. What is attached stays, but nothing new can be attached in the same way. */
  hasLostMainThread(): boolean {
    return this.#image.hasLostMainThread();
  }

  /** For a process that executes something else now: whether all that was counted is of that. To be asked before stop(). */
  async countsTheNextImage(): Promise<boolean> {
    return await this.#observation.countsTheNextImage();
  }

  /** Whether the process executes something else now. */
  isReplaced(): boolean {
    return this.#image.hasChanged();
  }

  /** Has something else that works with this target end before the observation does. */
  endBefore(end: () => Promise<void>): void {
    this.#companions.push(end);
  }

  /**
   * Ends the observation and sends the last state to the collector; tells the user when that fails.
   *
   * @param cpuSeconds what the target has used in all its life, when it has ended and that is known
   */
  async stop(cpuSeconds?: number | null): Promise<Snapshot> {
    clearInterval(this.#timer);
    this.#progress.clear();
    await Promise.all(this.#companions.map((end) => end()));
    try {
      const last = await this.#observation.stop(cpuSeconds).finally(() => this.#spikes.stop());
      const accounted = this.#spikes.account(last);
      this.#watch?.end(accounted, this.#watchedCandidates?.drainCandidates() ?? []);
      return accounted;
    } finally {
      this.#executable.close();
      this.#image.close();
      releaseIdentity(this.target);
      const delivery = await this.#export?.shutdown();
      if (delivery?.problem !== undefined) {
        log('warn', delivery.problem);
      }
    }
  }

  async #tick(withProgress: boolean): Promise<void> {
    if (this.#image.looksChanged()) {
      this.#noticeReplacement();
      return;
    }
    if (this.#isTicking) {
      return;
    }
    this.#isTicking = true;
    try {
      await this.#observation.collectSpikes();
      if (this.#watch !== undefined) {
        const snapshot = this.#spikes.account(await this.#observation.snapshot());
        this.#watch.take(snapshot, this.#watchedCandidates?.drainCandidates() ?? []);
      }
      await this.#observation.tend();
      if (withProgress) {
        this.#progress.update(await this.#observation.progress());
      }
    } catch {
      // The observation is ending; stop() reports what is wrong with it, if anything.
    } finally {
      this.#isTicking = false;
    }
  }
}

/**
 * Exemplars cost a little at each lookup, following spans at each span, and only OTLP receivers and the page get exemplars. Spikes
 * have a trace, too, and the report shows what the lookups of spans cost.
 */
function tracingOptions(
  settings: Settings,
  withSpikes: boolean,
  isWatched: boolean,
): Pick<ObservationOptions, 'exemplars' | 'labels' | 'followed' | 'spanCosts' | 'threadContextMap'> {
  // The export, which is made later from the same settings, says what it does not understand in them.
  const filter = otlpSettings(settings.otlpEndpoint, () => {})?.exemplarFilter ?? 'always_off';
  const withExemplars = filter !== 'always_off' || isWatched;
  const withSpans = (settings.spans ?? 0) > 0;
  if (!withExemplars && !withSpikes && !withSpans) {
    return {};
  }
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
