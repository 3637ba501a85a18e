import type { PerCpuContents, ProbeObject } from '../../kernel/addon.ts';
import {
  type FieldOf,
  type FieldReader,
  type NumberConstant,
  RecordReader,
  recordConstant,
  recordEnum,
} from '../../kernel/records.ts';
import { largerMap, laterMap } from '../../model/merge.ts';
import type { MapState } from '../../model/snapshot.ts';

/** What an aggregate is of. */
export interface AggregateName {
  /** Link-time return address of the call. */
  readonly caller: number;
  /**
   * Link-time address of the map type, or its run-time address when `runtimeType` is set. That of a type in another file, which a
   * plugin uses, may be negative.
   */
  readonly type: number;
  readonly runtimeType: boolean;
  /** Index into ProbePlan.functions. */
  readonly functionIndex: number;
  readonly hit: boolean;
}

/** Takes the word of an aggregate's name apart that says which map type it is of. */
export function decodeType(type: bigint): Pick<AggregateName, 'type' | 'runtimeType'> {
  // Addresses of user space have 47 bits: that the next bit is clear as well tells the mark from a negative address.
  const runtimeType = type >> 62n === 2n;
  return { type: Number(runtimeType ? type & ~RUNTIME_TYPE : BigInt.asIntN(64, type)), runtimeType };
}

/** Takes the two words of struct lookup_key apart. */
export function decodeName(caller: bigint, type: bigint): AggregateName {
  const hitShift = recordConstant('CALLER_HIT_SHIFT');
  return {
    caller: Number(BigInt.asUintN(hitShift, caller)),
    ...decodeType(type),
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

/** One aggregate of the kernel, summed over CPUs. Arrays are bucket counts, see bpf/shared/bounds.h. */
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
  largest: MapState;
  latest: MapState;
  mapsSketch: bigint[];
}

const RUNTIME_TYPE = 1n << 63n;

/** What is done with each record of a name: one for each CPU, and one that all share. */
type Visit = (name: Name, values: Buffer, at: number) => void;

interface Name extends Pick<LookupCount, 'key'> {
  readonly caller: bigint;
  readonly type: bigint;
}

/** Reads and sums the program's aggregates (bpf/counts/aggregate.bpf.h): what each CPU has for itself, and the shared ones. */
export class AggregateReader {
  readonly #record = new RecordReader('aggregate');
  readonly #stats = new StatsReader(this.#record);

  async read(program: ProbeObject): Promise<Aggregate[]> {
    const found = new Map<string, Aggregate>();
    await this.#visitAll(program, (name, values, at) => {
      const aggregate = found.get(name.key) ?? emptyAggregate(name);
      found.set(name.key, aggregate);
      this.#stats.addTo(aggregate, values, at);
    });
    const aggregates = [...found.values()];
    for (const aggregate of aggregates) {
      complete(aggregate);
    }
    return aggregates;
  }

  /** Only how many lookups there were: a fraction of the work. */
  async readLookups(program: ProbeObject): Promise<LookupCount[]> {
    const found = new Map<string, number>();
    await this.#visitAll(program, ({ key }, values, at) => {
      found.set(key, (found.get(key) ?? 0) + this.#stats.lookups(values, at));
    });
    return [...found].map(([key, lookups]) => ({ key, lookups }));
  }

  /** They are in the order in which they were made, on whatever CPU. */
  async #visitAll(program: ProbeObject, visit: Visit): Promise<void> {
    const made = await program.readSharedMap('aggregates_made');
    const { values, count } = await program.readSharedMap(
      'aggregates',
      Number(made.values.readBigUInt64LE()),
    );
    for (let i = 0; i < count; i++) {
      const at = i * this.#record.size;
      const caller = this.#record.bigint(values, at, 'name.caller');
      // One that is being made has no name yet, and counts nothing.
      if (caller !== 0n) {
        visit(nameOf(caller, this.#record.bigint(values, at, 'name.type')), values, at);
      }
    }
  }
}

function nameOf(caller: bigint, type: bigint): Name {
  return { key: `${caller} ${type}`, caller, type };
}

function emptyAggregate({ key, caller, type }: Name): Aggregate {
  const zeros = (length: NumberConstant) => new Array<number>(recordConstant(length)).fill(0);
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
    largest: NO_MAP,
    latest: NO_MAP,
    mapsSketch: new Array(recordConstant('MAP_SKETCH_WORDS')).fill(0n),
  };
}

const NO_MAP: MapState = {
  seenAt: 0,
  entries: 0,
  buckets: 0,
  overflowBuckets: 0,
  tombstones: 0,
  directory: 0,
};

/** What the kernel leaves to be worked out from the buckets: the number of lookups, and the sums of small values. */
function complete(aggregate: Aggregate): void {
  aggregate.lookups = aggregate.probeLength.reduce((sum, n) => sum + n, 0);
  for (let value = 0; value <= recordConstant('DIRECT_BUCKETS'); value++) {
    aggregate.probeLengthSum += value * (aggregate.probeLength[value] ?? 0);
    aggregate.keyComparisonsSum += value * (aggregate.keyComparisons[value] ?? 0);
  }
}

/** Adds what one aggregate has counted. */
class StatsReader {
  readonly #growing: FieldReader;
  readonly #probeLength: Counts;
  readonly #keyComparisons: Counts;
  readonly #homePosition: FieldReader;
  readonly #homePositionSum: FieldReader;
  readonly #loadFactor: FieldReader;
  readonly #loadFactorSum: FieldReader;
  readonly #inexact: FieldReader;
  readonly #largest: StateReader;
  readonly #latest: StateReader;
  readonly #ratioUnit = 2 ** recordConstant('RATIO_UNIT_LOG2');
  readonly #mapsSeen: FieldReader;

  constructor(record: RecordReader<'aggregate'>) {
    const field = (name: FieldOf<'lookup_stats'>) => record.field(`stats.${name}`);
    const counts = (name: 'probe_length' | 'key_comparisons') => ({
      buckets: field(name),
      sum: field(`${name}_sum`),
      max: field(`${name}_max`),
    });
    this.#growing = field('growing');
    this.#probeLength = counts('probe_length');
    this.#keyComparisons = counts('key_comparisons');
    this.#homePosition = field('home_position');
    this.#homePositionSum = field('home_position_sum');
    this.#loadFactor = field('load_factor');
    this.#loadFactorSum = field('load_factor_sum');
    this.#inexact = field('inexact');
    const state = (name: 'largest' | 'latest') => ({
      seenAt: field(`${name}.seen_at`),
      entries: field(`${name}.entries`),
      log2Buckets: field(`${name}.log2_buckets`),
      overflow: field(`${name}.overflow`),
      tombstones: field(`${name}.tombstones`),
      directory: field(`${name}.directory`),
    });
    this.#largest = state('largest');
    this.#latest = state('latest');
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
    to.homePositionSum += this.#homePositionSum.number(values, at) / this.#ratioUnit;
    this.#loadFactor.addTo(to.loadFactor, values, at);
    to.loadFactorSum += this.#loadFactorSum.number(values, at) / this.#ratioUnit;
    this.#inexact.addTo(to.inexact, values, at);
    to.largest = largerMap(to.largest, stateOf(this.#largest, values, at));
    to.latest = laterMap(to.latest, stateOf(this.#latest, values, at));
    this.#mapsSeen.uniteWith(to.mapsSketch, values, at);
  }
}

/** A map's state: its fields. */
type StateReader = Record<
  'seenAt' | 'entries' | 'log2Buckets' | 'overflow' | 'tombstones' | 'directory',
  FieldReader
>;

function stateOf(reader: StateReader, values: Buffer, at: number): MapState {
  const seenAt = reader.seenAt.number(values, at);
  if (seenAt === 0) {
    return NO_MAP;
  }
  const directory = reader.directory.number(values, at);
  return {
    seenAt,
    entries: reader.entries.number(values, at),
    buckets: 2 ** reader.log2Buckets.number(values, at),
    overflowBuckets: reader.overflow.number(values, at),
    tombstones: reader.tombstones.number(values, at),
    directory: directory === 0 ? 0 : 2 ** (directory - 1),
  };
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
  /** At a site whose lookup another one records. */
  readonly deferred: number;
  /** At that other site, of lookups that had been deferred. These hits have an outcome of their own. */
  readonly resumed: number;
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
  const sum = (field: FieldOf<'cpu_state'>, index = 0) => state.sum(states, field, index);
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
    resumed: sum('resumed'),
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
    if (name !== 'INEXACT_COUNT') {
      reasons[value] = name.slice('INEXACT_'.length).toLowerCase();
    }
  }
  return reasons;
}
