import { closeSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EXIT, messageOf, UserError } from '../errors.ts';
import type { GoBinary } from '../gobinary/index.ts';
import { type AttachMethod, type AttachOptions, addon, type ProbeObject } from '../kernel/addon.ts';
import { encodeRecords, encodeWord, type RecordValues } from '../kernel/records.ts';
import type { SpikeThreshold } from '../model/spike.ts';
import type { ProbePlan } from '../probesites/plan.ts';
import { openExecutable } from '../target/process.ts';
import { placeAddresses } from './addressplaces.ts';
import { type Counters, decodeCounters, decodeSiteHits } from './aggregates.ts';
import { kernelAttachMethod } from './attachmethod.ts';
import { decoderData, sitesByOffset } from './decoder.ts';
import { SPAN_MAPS, type SpanFollower } from './follower.ts';
import type { ExemplarOptions, LabelNames } from './goroutinedata.ts';
import type { WindowPlan } from './governor.ts';
import type { Preparation } from './preparation.ts';
import { SiteOrder } from './siteorder.ts';
import { indexKeys, type MapContents } from './typetables.ts';

export interface ProgramOptions {
  readonly pid: number;
  readonly binary: GoBinary;
  readonly preparation: Preparation;
  /** Default: what the kernel supports best. */
  readonly attachMethod?: AttachMethod;
  /** Hits are decoded only while all breakpoints are in: in a window, or between attach() and detach(). Without it all are. */
  readonly gated?: boolean;
  /** Which candidates for exemplars to keep; without it none. */
  readonly exemplars?: ExemplarOptions;
  /** Which lookups are spikes; without it none. */
  readonly spikes?: SpikeThreshold;
  /** pprof labels that name traces; without it labels are not looked at. */
  readonly labels?: LabelNames;
  /** The follower whose spans lookups are told by. */
  readonly follower?: SpanFollower;
  /** Path of the pinned map in which OBI says what threads work for. */
  readonly threadContextMap?: string;
  /** Count lookups for each goroutine, too. */
  readonly goroutineCosts?: boolean;
  /** Count lookups for each followed span, too; for nothing without a follower. */
  readonly spanCosts?: boolean;
  /** Call sites and types kept apart at most; beyond that lookups are dropped and counted. */
  readonly maxCallSites?: number;
}

/** A window that is over. */
export interface ClosedWindow {
  /** How long hits were decoded. */
  readonly openSeconds: number;
  /** When that ended: seconds of the monotonic clock. */
  readonly closed: number;
  /** At the hit limit. */
  readonly full: boolean;
  /** As they are now. */
  readonly counters: Counters;
}

const NO_HIT_LIMIT = 2n ** 63n;

/** Room for aggregates. One takes about 900 bytes per CPU of kernel memory. */
const DEFAULT_CALL_SITES = 4096;

/** Spans that lookups are counted for between two reads. */
const MOST_SPANS = 4096;

/** Candidates for exemplars kept between two reads. */
const MOST_EXEMPLARS = 16384;

/**
 * Goroutines that each of the two tables has room for: 250 bytes of kernel memory each. What fills up is emptied every second;
 * beyond that lookups are counted without their goroutine.
 */
export const MOST_GOROUTINES = 8192;

/** The lookup program, loaded for one target: attach it as often as wanted, read what it has counted, close it. */
export class LookupProgram {
  readonly kernel: ProbeObject;
  readonly attachMethod: AttachMethod;
  /** What the program does without, in sentences. */
  readonly warnings: readonly string[];
  readonly #pid: number;
  readonly #plan: ProbePlan;
  /** The executable, held open: whatever the process executes later, only this file is ever probed. */
  readonly #executable: number;
  /** From 1, so that aggregates that have never had a candidate are behind it. */
  #exemplarCycle = 1n;
  /** From 1, so that places that were never written are of none. */
  #spikeCycle = 1n;
  /** From 1, so that places that were never taken are of none. */
  #costCycle = 1n;
  readonly #siteOrder: SiteOrder;

  private constructor(
    kernel: ProbeObject,
    attachMethod: AttachMethod,
    options: ProgramOptions,
    executable: number,
    warnings: readonly string[],
  ) {
    this.warnings = warnings;
    this.kernel = kernel;
    this.attachMethod = attachMethod;
    this.#pid = options.pid;
    this.#plan = options.preparation.plan;
    this.#executable = executable;
    this.#siteOrder = new SiteOrder(this.sites);
  }

  /** How many instructions are probed. */
  get sites(): number {
    return this.#plan.sites.length;
  }

  /** Loads the program into the kernel; nothing is attached yet. It does without another tool's map that cannot be used. */
  static async load(options: ProgramOptions): Promise<LookupProgram> {
    const { threadContextMap, ...others } = options;
    if (threadContextMap === undefined) return await LookupProgram.#load(options, []);
    try {
      return await LookupProgram.#load(options, []);
    } catch (error) {
      return await LookupProgram.#load(others, [`OBI's map of spans is not used. ${messageOf(error)}.`]);
    }
  }

  static async #load(options: ProgramOptions, warnings: readonly string[]): Promise<LookupProgram> {
    const { binary, preparation } = options;
    const { plan, tables, wrappers } = preparation;
    const features = addon.features();
    if (!features.bpf) throw new UserError(features.bpfError, EXIT.cannotObserve);
    const wrapperTable = wrapperContents(wrappers);
    const withSpanCosts = options.spanCosts === true && options.follower !== undefined;
    const attachMethod = options.attachMethod ?? kernelAttachMethod(features);
    const callSites = options.maxCallSites ?? DEFAULT_CALL_SITES;
    const places = hashPlaces(callSites);
    const goroutines = options.goroutineCosts ? MOST_GOROUTINES : 1;
    const goroutinePlaces = hashPlaces(goroutines);
    const kernel = new addon.ProbeObject({
      objectPath: objectPath(features.sleepableUprobes ? 'lookup_sleepable' : 'lookup_atomic'),
      attachMethod,
      sleepable: features.sleepableUprobes,
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
        aggregate_table: encodeWord(places),
        goroutine_places: encodeWord(goroutinePlaces),
        wrapper_places: encodeWord(wrapperTable.places),
        // Up to 1.26 only lookups through reflection come through wrappers.
        entry_is_wide: encodeWord(Number(binary.version.minor >= 27 && wrappers.size > 0)),
      },
      mapSizes: {
        aggregates: callSites,
        shared_lookups: callSites,
        aggregate_places: places,
        map_types: tables.mapTypePlaces,
        dynamic_types: atLeastOne(tables.dynamicTypes.count),
        equal_steps: atLeastOne(tables.equalSteps.count),
        wrappers: wrapperTable.places,
        exemplars: options.exemplars ? MOST_EXEMPLARS : 1,
        spike_sites: options.spikes ? callSites : 1,
        goroutine_costs_0: goroutines,
        goroutine_costs_1: goroutines,
        goroutine_places_0: goroutinePlaces,
        goroutine_places_1: goroutinePlaces,
        span_costs_0: withSpanCosts ? MOST_SPANS : 1,
        span_costs_1: withSpanCosts ? MOST_SPANS : 1,
        // Its own is as small as can be where there is none to share.
        ...(options.threadContextMap === undefined && { traces_ctx_v1: 1 }),
      },
      ...(options.follower && { sharedMaps: sharedSpans(options.follower) }),
      ...(options.threadContextMap !== undefined && {
        pinnedMaps: { traces_ctx_v1: options.threadContextMap },
      }),
    });
    const executable = openExecutable(options.pid);
    try {
      await kernel.load();
      fill(kernel, 'map_types', tables.mapTypes);
      fill(kernel, 'dynamic_types', tables.dynamicTypes);
      fill(kernel, 'equal_steps', tables.equalSteps);
      fill(kernel, 'wrappers', wrapperTable);
    } catch (error) {
      kernel.close();
      closeSync(executable);
      throw new UserError(`The BPF program could not be loaded: ${messageOf(error)}`, EXIT.cannotObserve, {
        cause: error,
      });
    }
    const program = new LookupProgram(kernel, attachMethod, options, executable, warnings);
    program.#control();
    return program;
  }

  /**
   * Puts the breakpoints in, until they are taken out. With `gated` hits are decoded from the moment on when all are in: until
   * then sites that come first would be hit more often than others.
   */
  async attach(): Promise<void> {
    await this.kernel.attach(this.#sites());
    this.#setGate({ open: 1, hit_limit: NO_HIT_LIMIT });
  }

  /** One window, from attach to detach: hits are decoded for this long, or until a CPU has had so many. */
  async window({ openSeconds, hitLimit }: WindowPlan): Promise<ClosedWindow> {
    const { opened, closed, full, cpuStates } = await this.kernel.window({
      ...this.#sites(),
      openMicros: Math.round(openSeconds * 1e6),
      hitLimit,
    });
    const counters = decodeCounters(cpuStates);
    this.#siteOrder.learn(decodeSiteHits(cpuStates, this.sites));
    return { openSeconds: Math.max(0, closed - opened), closed, full, counters };
  }

  #setGate(gate: RecordValues): void {
    this.kernel.updateMap('window_gates', Buffer.alloc(4), encodeRecords('window_gate', [gate]), 1);
  }

  #sites(): AttachOptions {
    const { order, busy } = this.#siteOrder;
    return {
      path: `/proc/self/fd/${this.#executable}`,
      pid: this.#pid,
      offsets: order
        .flatMap((site) => this.#plan.sites[site] ?? [])
        .map(({ fileOffset }) => BigInt(fileOffset)),
      cookies: order.map(BigInt),
      busy,
    };
  }

  /** Begins a new cycle of exemplars: each bucket may have a candidate again. @returns the number of the one that ends */
  beginExemplarCycle(): bigint {
    const ended = this.#exemplarCycle++;
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
      exemplar_cycle: this.#exemplarCycle,
      spike_cycle: this.#spikeCycle,
      cost_cycle: this.#costCycle,
    };
    this.kernel.updateMap('window_controls', Buffer.alloc(4), encodeRecords('window_control', [control]), 1);
  }

  /** Takes the breakpoints out; when this returns none is left in the target. */
  async detach(): Promise<void> {
    this.#setGate({});
    await this.kernel.detach();
  }

  close(): void {
    this.kernel.close();
    closeSync(this.#executable);
  }
}

function sharedSpans({ kernel }: SpanFollower): Record<string, ProbeObject> {
  return Object.fromEntries(SPAN_MAPS.map((name) => [name, kernel]));
}

/** Size of a hash table in which the program finds so many entries: a power of two, and never more than half full. */
function hashPlaces(entries: number): number {
  let places = 2;
  while (places < 2 * entries) places *= 2;
  return places;
}

/** Path of a compiled BPF object. */
export function objectPath(name: string): string {
  const path = fileURLToPath(new URL(`../../build/bpf/${name}.bpf.o`, import.meta.url));
  if (existsSync(path)) return path;
  throw new UserError(`The BPF program ${path} has not been built: run npm run setup.`, EXIT.cannotObserve);
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

/** Writes what user space knows into one of the program's maps. */
export function fill(kernel: ProbeObject, name: string, { keys, values, count }: MapContents): void {
  if (count > 0) kernel.updateMap(name, keys, values, count);
}

/** A BPF map cannot have room for nothing. */
export function atLeastOne(count: number): number {
  return Math.max(count, 1);
}
