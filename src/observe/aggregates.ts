import type { PerCpuContents, ProbeObject } from '../kernel/addon.ts';
import { RecordReader, recordConstant, recordEnum } from '../kernel/records.ts';

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

/** One aggregate of the kernel, summed over CPUs. Arrays are bucket counts, see bpf/bounds.h. */
export interface Aggregate extends AggregateName {
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

/** Reads and sums the program's aggregates. */
export class AggregateReader {
  readonly #key = new RecordReader('lookup_key');
  readonly #stats = new RecordReader('lookup_stats');
  readonly #directBuckets = recordConstant('DIRECT_BUCKETS');

  async read(program: ProbeObject): Promise<Aggregate[]> {
    const { keys, values, count, cpus } = await program.readPerCpuMap('lookups');
    const stride = roundUp8(this.#stats.size);
    const aggregates: Aggregate[] = [];
    for (let i = 0; i < count; i++) {
      const aggregate = this.#empty(keys, i * this.#key.size);
      for (let cpu = 0; cpu < cpus; cpu++) this.#addCpu(aggregate, values, (i * cpus + cpu) * stride);
      this.#complete(aggregate);
      aggregates.push(aggregate);
    }
    return aggregates;
  }

  #empty(keys: Buffer, at: number): Aggregate {
    return {
      ...decodeName(this.#key.bigint(keys, at, 'caller'), this.#key.bigint(keys, at, 'type')),
      lookups: 0,
      growing: 0,
      probeLength: this.#zeros('probe_length'),
      probeLengthSum: 0,
      probeLengthMax: 0,
      keyComparisons: this.#zeros('key_comparisons'),
      keyComparisonsSum: 0,
      keyComparisonsMax: 0,
      homePosition: this.#zeros('home_position'),
      homePositionSum: 0,
      loadFactor: this.#zeros('load_factor'),
      loadFactorSum: 0,
      inexact: this.#zeros('inexact'),
      largest: { entries: 0, buckets: 0, overflowBuckets: 0, tombstones: 0 },
      mapsSketch: new Array(this.#stats.count('maps_seen')).fill(0n),
    };
  }

  /** What the kernel leaves to be worked out from the buckets: the number of lookups, and the sums of small values. */
  #complete(aggregate: Aggregate): void {
    aggregate.lookups = aggregate.probeLength.reduce((sum, n) => sum + n, 0);
    for (let value = 0; value <= this.#directBuckets; value++) {
      aggregate.probeLengthSum += value * (aggregate.probeLength[value] ?? 0);
      aggregate.keyComparisonsSum += value * (aggregate.keyComparisons[value] ?? 0);
    }
  }

  #zeros(field: string): number[] {
    return new Array(this.#stats.count(field)).fill(0);
  }

  #addCpu(to: Aggregate, values: Buffer, at: number): void {
    const value = (field: string, index = 0) => this.#stats.number(values, at, field, index);
    const addArray = (target: number[], field: string) => {
      for (let i = 0; i < target.length; i++) target[i] = (target[i] ?? 0) + value(field, i);
    };
    to.growing += value('growing');
    addArray(to.probeLength, 'probe_length');
    to.probeLengthSum += value('probe_length_sum');
    to.probeLengthMax = Math.max(to.probeLengthMax, value('probe_length_max'));
    addArray(to.keyComparisons, 'key_comparisons');
    to.keyComparisonsSum += value('key_comparisons_sum');
    to.keyComparisonsMax = Math.max(to.keyComparisonsMax, value('key_comparisons_max'));
    addArray(to.homePosition, 'home_position');
    to.homePositionSum += value('home_position_sum') / FIXED_POINT;
    addArray(to.loadFactor, 'load_factor');
    to.loadFactorSum += value('load_factor_sum') / FIXED_POINT;
    addArray(to.inexact, 'inexact');
    const entries = value('entries_max');
    if (entries > to.largest.entries) {
      to.largest = {
        entries,
        buckets: value('buckets_at_max'),
        overflowBuckets: value('overflow_at_max'),
        tombstones: value('tombstones_at_max'),
      };
    }
    to.mapsSketch = to.mapsSketch.map((word, i) => word | this.#stats.bigint(values, at, 'maps_seen', i));
  }
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
export function decodeCounters({ values, cpus }: PerCpuContents): Counters {
  const names = Object.entries(recordEnum('counter'));
  const state = new RecordReader('cpu_state');
  const sum = (field: string, index = 0) => {
    let total = 0;
    for (let cpu = 0; cpu < cpus; cpu++) total += state.number(values, cpu * state.size, field, index);
    return total;
  };
  const value = (index: number) => sum('counters', index);
  const group = (prefix: string) =>
    Object.fromEntries(
      names
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, index]) => [name.slice(prefix.length).toLowerCase(), value(index)]),
    );
  return {
    hits: value(recordConstant('COUNTER_HITS')),
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
