import { messageOf } from '../base/errors.ts';
import type { AttachMethod, ProbeObject } from '../kernel/addon.ts';
import { encodeRecords, encodeWord, RecordReader } from '../kernel/records.ts';
import type { SpikeThreshold } from '../model/spike.ts';
import type { ExemplarOptions, LabelNames } from '../model/trace-sources.ts';
import type { ProbePlan } from '../plan/lookups/plan.ts';
import type { MappedBinary } from '../target/mapped.ts';
import { placeAddresses } from './data/address-places.ts';
import { decoderData, sitesByOffset } from './data/decoder.ts';
import { inProcess } from './data/in-process.ts';
import { type AggregateRoom, aggregateRoom, hashPlaces, possibleCpus, scratchRoom } from './data/room.ts';
import { indexKeys, type MapContents } from './data/type-tables.ts';
import { atLeastOne } from './objects.ts';
import type { Preparation } from './preparation/preparation.ts';
import { type Counters, decodeCounters, decodeSiteHits } from './readers/counters.ts';
import { SiteOrder } from './site-order.ts';
import { SPAN_MAPS, type SpanFollower } from './span-follower.ts';
import { type Breakpoint, TargetProgram } from './target-program.ts';

export interface ProgramOptions {
  readonly target: MappedBinary;
  readonly preparation: Preparation;
  /** Default: what the kernel supports best. */
  readonly attachMethod?: AttachMethod | undefined;
  /** Hits are decoded only while all breakpoints are in: in a window, or between attach() and detach(). Without it all are. */
  readonly gated?: boolean;
  /** Which candidates for exemplars to keep; without it none. */
  readonly exemplars?: ExemplarOptions;
  /** Which lookups are spikes; without it none. */
  readonly spikes?: SpikeThreshold;
  /** pprof labels that name traces; without it labels are not looked at. */
  readonly labels?: LabelNames;
  /** The follower whose spans lookups are counted for. */
  readonly follower?: SpanFollower;
  /** Path of the pinned map in which OBI says what threads work for. */
  readonly threadContextMap?: string;
  /** Also count lookups per goroutine. */
  readonly goroutineCosts?: boolean;
  /** Also count lookups per followed span; has no effect without a follower. */
  readonly spanCosts?: boolean;
  /** Names (call site, type, function and result) kept apart at most; beyond that only the function and result are. */
  readonly maxCallSites?: number;
  /** CPUs that the machine may have. Default: this machine's. */
  readonly cpus?: number;
}

/** A window to be opened. */
export interface WindowPlan {
  readonly openSeconds: number;
  /** Hits on one CPU after which the window ends early. */
  readonly hitLimit: number;
}

/** A window that is over. */
export interface ClosedWindow {
  /** How long hits were decoded. */
  readonly openSeconds: number;
  /** CPU time that the target used meanwhile. */
  readonly cpuSeconds: number;
  /** When that ended: seconds of the monotonic clock. */
  readonly closed: number;
  /** At the hit limit. */
  readonly full: boolean;
  /** For how long locks were kept that others need (WindowOutcome.lockedSeconds). */
  readonly lockedSeconds: number | null;
  /** As they are now. */
  readonly counters: Counters;
}

const NO_HIT_LIMIT = 2n ** 63n;

/** Names that the kernel tells apart: of each call site and type one for hits and one for misses, mostly. */
const MOST_NAMES = 4096;

/** Call sites and types whose spikes are recorded. */
const MOST_SPIKE_SITES = 1024;

/** Spans that lookups are counted for between two reads. */
const MOST_SPANS = 4096;

/** Candidates for exemplars kept between two reads. */
const MOST_EXEMPLARS = 8192;

/**
 * Goroutines that each of the two tables has room for: 250 bytes of kernel memory each. What fills up is emptied every second;
 * beyond that lookups are counted without their goroutine.
 */
export const MOST_GOROUTINES = 8192;

/** The lookup program, loaded for one target: attach it as often as wanted, read what it has counted, close it. */
export class LookupProgram {
  /** Sentences for the user: what the program has to do without. */
  readonly warnings: readonly string[];
  /** What the process uses of another file instead: see MappedBinary. */
  readonly elsewhere: ReadonlyMap<number, number>;
  /** What room there is for aggregates. */
  readonly aggregates: AggregateRoom;
  readonly #program: TargetProgram;
  readonly #plan: ProbePlan;
  /** From 1, so that aggregates that have never counted are behind it. */
  #cycle = 1n;
  /** From 1, so that places that were never written are of none. */
  #spikeCycle = 1n;
  /** From 1, so that places that were never taken are of none. */
  #costCycle = 1n;
  readonly #siteOrder: SiteOrder;
  #ordered: { readonly order: readonly number[]; readonly breakpoints: readonly Breakpoint[] } | undefined;

  private constructor(
    program: TargetProgram,
    plan: ProbePlan,
    elsewhere: ReadonlyMap<number, number>,
    warnings: readonly string[],
    aggregates: AggregateRoom,
  ) {
    this.elsewhere = elsewhere;
    this.aggregates = aggregates;
    this.warnings = warnings;
    this.#program = program;
    this.#plan = plan;
    this.#siteOrder = new SiteOrder(this.sites);
  }

  get kernel(): ProbeObject {
    return this.#program.kernel;
  }

  get attachMethod(): AttachMethod {
    return this.#program.attachMethod;
  }

  /** How many instructions are probed. */
  get sites(): number {
    return this.#plan.sites.length;
  }

  /** Loads the program into the kernel; nothing is attached yet. When another tool's map cannot be used, it goes without. */
  static async load(options: ProgramOptions): Promise<LookupProgram> {
    const { threadContextMap, ...others } = options;
    if (threadContextMap === undefined) {
      return await LookupProgram.#load(options, []);
    }
    try {
      return await LookupProgram.#load(options, []);
    } catch (error) {
      return await LookupProgram.#load(others, [
        `mapscope does not use OBI's map of spans. ${messageOf(error)}.`,
      ]);
    }
  }

  static async #load(options: ProgramOptions, warnings: readonly string[]): Promise<LookupProgram> {
    const { target } = options;
    const { binary } = target;
    const preparation = inProcess(options.preparation, target);
    const { plan, tables, wrappers } = preparation;
    const wrapperTable = wrapperContents(wrappers);
    const withSpanCosts = options.spanCosts === true && options.follower !== undefined;
    const callSites = options.maxCallSites ?? MOST_NAMES;
    const cpus = options.cpus ?? possibleCpus();
    const aggregates = aggregateRoom(callSites, cpus);
    const scratch = scratchRoom(cpus);
    const goroutines = options.goroutineCosts ? MOST_GOROUTINES : 1;
    const goroutinePlaces = hashPlaces(goroutines);
    const program = await TargetProgram.load(target, {
      name: 'lookup',
      title: 'The BPF program',
      attachMethod: options.attachMethod,
      readOnlyData: {
        ...decoderData(
          binary,
          preparation,
          options.gated ?? false,
          {
            ...(options.exemplars && { exemplars: options.exemplars }),
            ...(options.labels && { labels: options.labels }),
            withSpans: options.follower !== undefined,
            withThreadContext: options.threadContextMap !== undefined,
            withCosts: options.goroutineCosts === true,
            withSpanCosts,
          },
          options.spikes,
        ),
        sites_by_offset: sitesByOffset(plan.sites),
        ...aggregates.readOnlyData,
        ...scratch.readOnlyData,
        goroutine_places: encodeWord(goroutinePlaces),
        wrapper_places: encodeWord(wrapperTable.places),
        // Up to 1.26 only lookups through reflection come through wrappers.
        frame_is_wide: encodeWord(Number(binary.version.minor >= 27 && wrappers.size > 0)),
      },
      mapSizes: {
        lookup_scratch: scratch.entries,
        aggregates: aggregates.entries,
        aggregate_places: aggregates.places,
        aggregates_free: aggregates.places,
        map_types: tables.mapTypePlaces,
        dynamic_types: atLeastOne(tables.dynamicTypes.count),
        equal_steps: atLeastOne(tables.equalSteps.count),
        wrappers: wrapperTable.places,
        exemplars: options.exemplars ? MOST_EXEMPLARS : 1,
        spike_sites: options.spikes ? Math.min(callSites, MOST_SPIKE_SITES) : 1,
        goroutine_costs_0: goroutines,
        goroutine_costs_1: goroutines,
        goroutine_places_0: goroutinePlaces,
        goroutine_places_1: goroutinePlaces,
        span_costs_0: withSpanCosts ? MOST_SPANS : 1,
        span_costs_1: withSpanCosts ? MOST_SPANS : 1,
        // Its own is as small as can be where there is none to share.
        ...(options.threadContextMap === undefined && { traces_ctx_v1: 1 }),
      },
      contents: {
        map_types: tables.mapTypes,
        dynamic_types: tables.dynamicTypes,
        equal_steps: tables.equalSteps,
        wrappers: wrapperTable,
      },
      ...(options.follower && { sharedMaps: sharedSpans(options.follower) }),
      ...(options.threadContextMap !== undefined && {
        pinnedMaps: { traces_ctx_v1: options.threadContextMap },
      }),
    });
    const loaded = new LookupProgram(program, plan, target.elsewhere(), warnings, aggregates);
    loaded.#control();
    return loaded;
  }

  /**
   * Puts the breakpoints in, until they are taken out. With `gated` hits are decoded from the moment on when all are in: until
   * then sites that come first would be hit more often than others.
   */
  async attach(): Promise<void> {
    this.#setGate(0);
    await this.#program.attach(this.#breakpoints());
    this.#setGate(1);
  }

  /** One window, from attach to detach: hits are decoded for this long, or until a CPU has had so many. */
  async window({ openSeconds, hitLimit }: WindowPlan): Promise<ClosedWindow> {
    const limits = { openMicros: Math.round(openSeconds * 1e6), hitLimit };
    const { opened, closed, cpuSeconds, full, lockedSeconds, cpuStates } = await this.#program.window(
      this.#breakpoints(),
      this.#siteOrder.busy,
      limits,
    );
    const counters = decodeCounters(cpuStates);
    this.#siteOrder.learn(decodeSiteHits(cpuStates, this.sites));
    return { openSeconds: Math.max(0, closed - opened), cpuSeconds, closed, full, lockedSeconds, counters };
  }

  #setGate(open: 0 | 1): void {
    const gate = { window: 1, hit_limit: NO_HIT_LIMIT, open };
    this.kernel.updateMap('window_gates', Buffer.alloc(4), encodeRecords('window_gate', [gate]), 1);
  }

  /** In the order in which they go in: the same array while that is the same. */
  #breakpoints(): readonly Breakpoint[] {
    const { order } = this.#siteOrder;
    if (this.#ordered?.order !== order) {
      const breakpoints = order.flatMap((index) => {
        const site = this.#plan.sites[index];
        return site === undefined ? [] : [{ ...site, cookie: BigInt(index) }];
      });
      this.#ordered = { order, breakpoints };
    }
    return this.#ordered.breakpoints;
  }

  /**
   * Begins a new cycle: each bucket may have a candidate again, and the largest map is that of lookups from now on.
   *
   * @returns the number of the one that ends
   */
  beginCycle(): bigint {
    const ended = this.#cycle++;
    this.#control();
    return ended;
  }

  /** Begins a new cycle of spikes: each site may keep some again. @returns the number of the one that ends */
  beginSpikeCycle(): bigint {
    const ended = this.#spikeCycle++;
    this.#control();
    return ended;
  }

  /** Number of the tables of what goroutines and spans cost that hits count in. */
  get costTable(): number {
    return Number(this.#costCycle % 2n);
  }

  /**
   * Has hits that begin from now on count in the other tables of what goroutines and spans cost.
   *
   * @returns the number of the tables that they counted in so far
   */
  switchCostTables(): number {
    const ended = this.costTable;
    this.#costCycle++;
    this.#control();
    return ended;
  }

  #control(): void {
    const control = {
      cycle: this.#cycle,
      spike_cycle: this.#spikeCycle,
      cost_cycle: this.#costCycle,
    };
    this.kernel.updateMap('window_controls', Buffer.alloc(4), encodeRecords('window_control', [control]), 1);
  }

  /**
   * For a process that has executed another program: whether that was before the first hit. Then all that was counted is of the other
   * one; else all is of the one before, because the kernel's tracepoint has ended the counting.
   */
  async countsTheNextImage(): Promise<boolean> {
    const { values } = await this.kernel.readSharedMap('observed_images');
    const image = new RecordReader('observed_image');
    return image.number(values, 0, 'process') !== 0 && image.number(values, 0, 'has_ended') === 0;
  }

  /** Takes the breakpoints out; when this returns none is left in the target. */
  async detach(): Promise<void> {
    this.#setGate(0);
    await this.#program.detach();
  }

  close(): void {
    this.#program.close();
  }
}

function sharedSpans({ kernel }: SpanFollower): Record<string, ProbeObject> {
  return Object.fromEntries(SPAN_MAPS.map((name) => [name, kernel]));
}

function wrapperContents(wrappers: ReadonlyMap<number, number>): MapContents & { places: number } {
  const frames = [...wrappers].map(([address, size]) => ({ address, size }));
  const { places, indices } = placeAddresses(frames.map(({ address }) => address));
  const placed = [...indices.keys()].map((i) => frames[i] ?? {});
  return {
    keys: indexKeys([...indices.values()]),
    values: encodeRecords('wrapper_frame', placed),
    count: placed.length,
    places,
  };
}
