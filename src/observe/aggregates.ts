import type { PerCpuContents, ProbeObject } from '../kernel/addon.ts';
import { type FieldReader, RecordReader, recordConstant, recordEnum } from '../kernel/records.ts';

/** What an aggregate is of. */
export interface AggregateName {
  /** Link-time return address of the call. */
  readonly caller: number;
  /** Link-time address of the map type, or its run-time address when `runtimeType` is set. */
  readonly type: number;
  readonly runtimeType: boolean;
  /** Index into ProbePlan.functions. */
  readonly functionIndex: number;
  readonly hit: boolean;
}

/** Takes the two words of struct lookup_key apart. */
export function decodeName(caller: bigint, type: bigint): AggregateName {
  const hitShift = recordConstant('CALLER_HIT_SHIFT');
  return {
    caller: Number(BigInt.asUintN(hitShift, caller)),
    type: Number(type & ~RUNTIME_TYPE),
    runtimeType: (type & RUNTIME_TYPE) !== 0n,
    functionIndex: Number(caller >> BigInt(recordConstant('CALLER_FUNCTION_SHIFT'))),
    hit: ((caller >> BigInt(hitShift)) & 1n) === 1n,
  };
}

/** How many lookups an aggregate has counted. */
export interface LookupCount {
  /** Its name, as the kernel has it. */
  readonly key: string;
  readonly lookups: number;
}

/** One aggregate of the kernel, summed over CPUs. Arrays are bucket counts, see bpf/bounds.h. */
export interface Aggregate extends AggregateName, LookupCount {
  lookups: number;
  growing: number;
  probeLength: number[];
  probeLengthSum: number;
  probeLengthMax: number;
  keyComparisons: number[];
  keyComparisonsSum: number;
  keyComparisonsMax: number;
  homePosition: number[];
  homePositionSum: number;
  loadFactor: number[];
  loadFactorSum: number;
  /** By enum inexact_reason. */
  inexact: number[];
  largest: { entries: number; buckets: number; overflowBuckets: number; tombstones: number };
  mapsSketch: bigint[];
}

/** Unit of the sums of ratios (bpf/aggregate.bpf.h). */
const FIXED_POINT = 2 ** 32;

const RUNTIME_TYPE = 1n << 63n;

/** What is done with each record of a name: several, one for each CPU and map. */
type Visit = (name: Name, stats: StatsReader, values: Buffer, at: number) => void;

interface Name extends Pick<LookupCount, 'key'> {
  readonly caller: bigint;
  readonly type: bigint;
}

/** Reads and sums the program's aggregates (bpf/aggregate.bpf.h): what each CPU has for itself, and the shared ones. */
export class AggregateReader {
  readonly #cpuState = new RecordReader('cpu_state');
  readonly #own = new RecordReader('aggregate');
  readonly #ownStats = new StatsReader('aggregate', 'stats.');
  readonly #key = new RecordReader('lookup_key');
  readonly #sharedStats = new StatsReader('lookup_stats', '');

  async read(program: ProbeObject): Promise<Aggregate[]> {
    const found = new Map<string, Aggregate>();
    await this.#visitAll(program, (name, stats, values, at) => {
      const aggregate = found.get(name.key) ?? emptyAggregate(name);
      found.set(name.key, aggregate);
      stats.addTo(aggregate, values, at);
    });
    const aggregates = [...found.values()];
    for (const aggregate of aggregates) complete(aggregate);
    return aggregates;
  }

  /** Only how many lookups there were: a fraction of the work. */
  async readLookups(program: ProbeObject): Promise<LookupCount[]> {
    const found = new Map<string, number>();
    await this.#visitAll(program, ({ key }, stats, values, at) => {
      found.set(key, (found.get(key) ?? 0) + stats.lookups(values, at));
    });
    return [...found].map(([key, lookups]) => ({ key, lookups }));
  }

  async #visitAll(program: ProbeObject, visit: Visit): Promise<void> {
    await this.#visitOwn(program, visit);
    await this.#visitShared(program, visit);
  }

  /** Each CPU has its aggregates in an order of its own, as many as its state says. */
  async #visitOwn(program: ProbeObject, visit: Visit): Promise<void> {
    const states = await program.readPerCpuMap('cpu_states');
    const used = Array.from({ length: states.cpus }, (_, cpu) =>
      this.#cpuState.number(states.values, cpu * this.#cpuState.size, 'aggregates'),
    );
    const { values, count, cpus } = await program.readPerCpuMap('aggregates', Math.max(...used));
    for (let i = 0; i < count; i++) {
      for (let cpu = 0; cpu < cpus; cpu++) {
        if (i >= (used[cpu] ?? 0)) continue;
        const at = (i * cpus + cpu) * this.#own.size;
        const caller = this.#own.bigint(values, at, 'name.caller');
        const type = this.#own.bigint(values, at, 'name.type');
        visit(nameOf(caller, type), this.#ownStats, values, at);
      }
    }
  }

  async #visitShared(program: ProbeObject, visit: Visit): Promise<void> {
    const { keys, values, count, cpus } = await program.readPerCpuMap('shared_lookups');
    for (let i = 0; i < count; i++) {
      const at = i * this.#key.size;
      const name = nameOf(this.#key.bigint(keys, at, 'caller'), this.#key.bigint(keys, at, 'type'));
      for (let cpu = 0; cpu < cpus; cpu++)
        visit(name, this.#sharedStats, values, (i * cpus + cpu) * this.#sharedStats.size);
    }
  }
}

function nameOf(caller: bigint, type: bigint): Name {
  return { key: `${caller} ${type}`, caller, type };
}

function emptyAggregate({ key, caller, type }: Name): Aggregate {
  const zeros = (length: string) => new Array<number>(recordConstant(length)).fill(0);
  return {
    ...decodeName(caller, type),
    key,
    lookups: 0,
    growing: 0,
    probeLength: zeros('COUNT_BUCKETS'),
    probeLengthSum: 0,
    probeLengthMax: 0,
    keyComparisons: zeros('COUNT_BUCKETS'),
    keyComparisonsSum: 0,
    keyComparisonsMax: 0,
    homePosition: zeros('RATIO_BUCKETS'),
    homePositionSum: 0,
    loadFactor: zeros('RATIO_BUCKETS'),
    loadFactorSum: 0,
    inexact: zeros('INEXACT_COUNT'),
    largest: { entries: 0, buckets: 0, overflowBuckets: 0, tombstones: 0 },
    mapsSketch: new Array(recordConstant('MAP_SKETCH_WORDS')).fill(0n),
  };
}

/** What the kernel leaves to be worked out from the buckets: the number of lookups, and the sums of small values. */
function complete(aggregate: Aggregate): void {
  aggregate.lookups = aggregate.probeLength.reduce((sum, n) => sum + n, 0);
  for (let value = 0; value <= recordConstant('DIRECT_BUCKETS'); value++) {
    aggregate.probeLengthSum += value * (aggregate.probeLength[value] ?? 0);
    aggregate.keyComparisonsSum += value * (aggregate.keyComparisons[value] ?? 0);
  }
}

/** Adds what one CPU has counted, which may be a part of a larger record. */
class StatsReader {
  readonly size: number;
  readonly #growing: FieldReader;
  readonly #probeLength: Counts;
  readonly #keyComparisons: Counts;
  readonly #homePosition: FieldReader;
  readonly #homePositionSum: FieldReader;
  readonly #loadFactor: FieldReader;
  readonly #loadFactorSum: FieldReader;
  readonly #inexact: FieldReader;
  readonly #largest: Record<keyof Aggregate['largest'], FieldReader>;
  readonly #mapsSeen: FieldReader;

  constructor(struct: string, prefix: string) {
    const stats = new RecordReader(struct);
    const field = (name: string) => stats.field(prefix + name);
    const counts = (name: string) => ({
      buckets: field(name),
      sum: field(`${name}_sum`),
      max: field(`${name}_max`),
    });
    this.size = roundUp8(stats.size);
    this.#growing = field('growing');
    this.#probeLength = counts('probe_length');
    this.#keyComparisons = counts('key_comparisons');
    this.#homePosition = field('home_position');
    this.#homePositionSum = field('home_position_sum');
    this.#loadFactor = field('load_factor');
    this.#loadFactorSum = field('load_factor_sum');
    this.#inexact = field('inexact');
    this.#largest = {
      entries: field('entries_max'),
      buckets: field('buckets_at_max'),
      overflowBuckets: field('overflow_at_max'),
      tombstones: field('tombstones_at_max'),
    };
    this.#mapsSeen = field('maps_seen');
  }

  /** Each lookup is in one bucket. */
  lookups(values: Buffer, at: number): number {
    return this.#probeLength.buckets.total(values, at);
  }

  addTo(to: Aggregate, values: Buffer, at: number): void {
    to.growing += this.#growing.number(values, at);
    this.#probeLength.buckets.addTo(to.probeLength, values, at);
    to.probeLengthSum += this.#probeLength.sum.number(values, at);
    to.probeLengthMax = Math.max(to.probeLengthMax, this.#probeLength.max.number(values, at));
    this.#keyComparisons.buckets.addTo(to.keyComparisons, values, at);
    to.keyComparisonsSum += this.#keyComparisons.sum.number(values, at);
    to.keyComparisonsMax = Math.max(to.keyComparisonsMax, this.#keyComparisons.max.number(values, at));
    this.#homePosition.addTo(to.homePosition, values, at);
    to.homePositionSum += this.#homePositionSum.number(values, at) / FIXED_POINT;
    this.#loadFactor.addTo(to.loadFactor, values, at);
    to.loadFactorSum += this.#loadFactorSum.number(values, at) / FIXED_POINT;
    this.#inexact.addTo(to.inexact, values, at);
    const { entries, buckets, overflowBuckets, tombstones } = this.#largest;
    if (entries.number(values, at) > to.largest.entries) {
      to.largest = {
        entries: entries.number(values, at),
        buckets: buckets.number(values, at),
        overflowBuckets: overflowBuckets.number(values, at),
        tombstones: tombstones.number(values, at),
      };
    }
    this.#mapsSeen.uniteWith(to.mapsSketch, values, at);
  }
}

/** An integer histogram's fields. */
interface Counts {
  readonly buckets: FieldReader;
  readonly sum: FieldReader;
  readonly max: FieldReader;
}

/** The program's counters, summed over CPUs: what became of the hits that are not in an aggregate. */
export interface Counters {
  readonly hits: number;
  readonly deferred: number;
  /** In maps that were emptied between the function's check and the probe site; not lookups by definition. */
  readonly empty: number;
  /** While a window's gate was closed: a trap, and nothing decoded. */
  readonly windowClosed: number;
  readonly unreadable: Record<string, number>;
  readonly dropped: Record<string, number>;
  /** Spikes that the kernel had no memory for. */
  readonly lostSpikes: number;
  /** Hits whose decoding was timed, and how long it took them. */
  readonly timedHits: number;
  readonly timedSeconds: number;
}

export async function readCounters(program: ProbeObject): Promise<Counters> {
  return decodeCounters(await program.readPerCpuMap('cpu_states'));
}

/** The counters in the map `cpu_states`. */
export function decodeCounters(states: PerCpuContents): Counters {
  const names = Object.entries(recordEnum('counter'));
  const state = new RecordReader('cpu_state');
  const sum = (field: string, index = 0) => state.sum(states, field, index);
  const value = (index: number) => sum('counters', index);
  const group = (prefix: string) =>
    Object.fromEntries(
      names
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, index]) => [name.slice(prefix.length).toLowerCase(), value(index)]),
    );
  return {
    hits: value(recordConstant('COUNTER_HITS')) + sum('own_hits'),
    deferred: value(recordConstant('COUNTER_DEFERRED')),
    empty: value(recordConstant('COUNTER_EMPTY')),
    windowClosed: value(recordConstant('COUNTER_WINDOW_CLOSED')),
    unreadable: group('COUNTER_UNREADABLE_'),
    dropped: group('COUNTER_DROPPED_'),
    lostSpikes: sum('lost_spikes'),
    timedHits: sum('timed_hits'),
    timedSeconds: sum('timed_ns') * 1e-9,
  };
}

/** Of the hits whose time was taken, those of each probe site. */
export function decodeSiteHits(states: PerCpuContents, sites: number): number[] {
  const state = new RecordReader('cpu_state');
  return Array.from({ length: sites }, (_, site) => state.sum(states, 'site_hits', site));
}

/** The reasons for inexact lookups, in the order of enum inexact_reason, in words that can be printed. */
export function inexactReasons(): string[] {
  const reasons: string[] = [];
  for (const [name, value] of Object.entries(recordEnum('inexact_reason'))) {
    if (name !== 'INEXACT_COUNT') reasons[value] = name.slice('INEXACT_'.length).toLowerCase();
  }
  return reasons;
}

function roundUp8(size: number): number {
  return Math.ceil(size / 8) * 8;
}
