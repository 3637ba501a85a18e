import type { ProbeObject } from '../../kernel/addon.ts';
import { type FieldOf, type FieldReader, RecordReader, recordConstant } from '../../kernel/records.ts';
import { largerMap, laterMap } from '../../model/merge.ts';
import { includeSketch } from '../../model/sketch.ts';
import { type MapState, NO_MAP } from '../../model/snapshot.ts';
import {
  type Aggregate,
  type AggregateName,
  addCounted,
  type Counted,
  decodeName,
  type LookupCount,
  nothingCounted,
  otherName,
} from './aggregate.ts';

/**
 * Reads and sums the program's aggregates (bpf/counts/aggregate.bpf.h): what each CPU has for itself, and the shared ones. They are in
 * the order in which they were made, and keep their place.
 */
export class AggregateReader {
  readonly #record = new RecordReader('aggregate');
  readonly #stats = new StatsReader(this.#record);
  /** By place. */
  readonly #names: (AggregateName | undefined)[] = [];
  readonly #byKey = new Map<string, AggregateName>();
  /** What was counted at places that were taken back, under the name for that. */
  readonly #takenBack = new Map<AggregateName, Counted>();

  /** All, under their names. @param cycle of which the largest maps are wanted; default: the latest one of each */
  async read(program: ProbeObject, cycle?: bigint): Promise<Aggregate[]> {
    const found = new Map<AggregateName, Aggregate>();
    const contents = await this.contents(program, cycle);
    contents.forEach((name, at) => {
      const aggregate = found.get(name) ?? { ...name, ...nothingCounted() };
      found.set(name, aggregate);
      contents.addTo(aggregate, at);
    });
    const aggregates = [...found.values()];
    for (const aggregate of aggregates) {
      complete(aggregate);
    }
    return aggregates;
  }

  /** Only how many lookups there were: a fraction of the work. */
  async readLookups(program: ProbeObject): Promise<LookupCount[]> {
    const contents = await this.contents(program);
    return [...contents.counts()].map(([{ key }, lookups]) => ({ key, lookups }));
  }

  /** What there is now, not decoded yet. */
  async contents(program: ProbeObject, cycle?: bigint): Promise<AggregateContents> {
    const made = await program.readSharedMap('aggregates_made');
    const most = Number(made.values.readBigUInt64LE());
    const { values, count } = await program.readSharedMap('aggregates', most);
    for (let place = 0; place < count; place++) {
      this.#names[place] ??= this.#nameAt(values, place * this.#record.size);
    }
    return new AggregateContents(this.#stats, {
      values,
      size: this.#record.size,
      names: this.#names.slice(0, count),
      takenBack: [...this.#takenBack],
      cycle: cycle === undefined ? undefined : Number(BigInt.asUintN(32, cycle)),
    });
  }

  /**
   * Takes places back, in which nobody counts any more: what was counted there is kept under the name of all others.
   *
   * @param contents read when nobody did
   * @param isLeft whether a name's places stay as they are
   */
  takeBack(
    wanted: ReadonlySet<number>,
    contents: AggregateContents,
    isLeft: (name: AggregateName) => boolean,
  ): TakenBack {
    const places: number[] = [];
    const lookups = new Map<AggregateName, number>();
    const living = new Set<AggregateName>();
    contents.forEach((name, at) => {
      const place = at / this.#record.size;
      if (!wanted.has(place) || isLeft(name)) {
        living.add(name);
        return;
      }
      const counted = this.#otherCounted(name);
      contents.addTo(counted, at);
      // It was of a cycle that has ended.
      counted.largest = NO_MAP;
      lookups.set(name, (lookups.get(name) ?? 0) + contents.lookups(at));
      this.#names[place] = undefined;
      places.push(place);
    });
    const gone = [...lookups.keys()].filter((name) => !living.has(name));
    for (const { key } of gone) {
      this.#byKey.delete(key);
    }
    return { places, lookups, gone };
  }

  /** Where names are, as far as they have been read. */
  placesOf(names: ReadonlySet<AggregateName>): number[] {
    return this.#names.flatMap((name, place) => (name !== undefined && names.has(name) ? place : []));
  }

  #otherCounted(of: AggregateName): Counted {
    const wanted = otherName(of);
    const name = this.#byKey.get(wanted.key) ?? wanted;
    this.#byKey.set(name.key, name);
    const counted = this.#takenBack.get(name) ?? nothingCounted();
    this.#takenBack.set(name, counted);
    return counted;
  }

  /** One that is being made has no name yet, and counts nothing. */
  #nameAt(values: Buffer, at: number): AggregateName | undefined {
    const caller = this.#record.bigint(values, at, 'name.caller');
    if (caller === 0n) {
      return undefined;
    }
    const name = decodeName(caller, this.#record.bigint(values, at, 'name.type'));
    const known = this.#byKey.get(name.key);
    if (known === undefined) {
      this.#byKey.set(name.key, name);
    }
    return known ?? name;
  }
}

/** Places that were taken back. */
export interface TakenBack {
  readonly places: readonly number[];
  /** Lookups that count under the name of all others from now on, by the name that they had. */
  readonly lookups: ReadonlyMap<AggregateName, number>;
  /** Names that have no other place. */
  readonly gone: readonly AggregateName[];
}

/** What was read at one moment. */
interface Contents {
  readonly values: Buffer;
  /** Bytes of a place. */
  readonly size: number;
  readonly names: readonly (AggregateName | undefined)[];
  readonly takenBack: readonly (readonly [AggregateName, Counted])[];
  readonly cycle: number | undefined;
}

/** The aggregates at one moment. A name has several places: one for each CPU, and one that all share. */
export class AggregateContents {
  readonly #stats: StatsReader;
  readonly #read: Contents;

  constructor(stats: StatsReader, read: Contents) {
    this.#stats = stats;
    this.#read = read;
  }

  /** Visits each place, with the name and where it is. Places that were taken back are below 0. */
  forEach(visit: (name: AggregateName, at: number) => void): void {
    const { names, size, takenBack } = this.#read;
    names.forEach((name, place) => {
      if (name !== undefined) {
        visit(name, place * size);
      }
    });
    takenBack.forEach(([name], i) => {
      visit(name, -1 - i);
    });
  }

  /** Lookups by name. */
  counts(): Map<AggregateName, number> {
    const counts = new Map<AggregateName, number>();
    this.forEach((name, at) => {
      counts.set(name, (counts.get(name) ?? 0) + this.lookups(at));
    });
    return counts;
  }

  /** Lookups counted at a place. */
  lookups(at: number): number {
    return at < 0
      ? (this.#takenBackAt(at)?.probeLength.reduce((sum, count) => sum + count, 0) ?? 0)
      : this.#stats.lookups(this.#read.values, at);
  }

  #takenBackAt(at: number): Counted | undefined {
    return this.#read.takenBack[-1 - at]?.[1];
  }

  /** Adds what was counted at a place. When all places of a name have been added, `complete` is to be called. */
  addTo(to: Counted, at: number): void {
    const takenBack = at < 0 ? this.#takenBackAt(at) : undefined;
    if (takenBack !== undefined) {
      addCounted(to, takenBack);
    } else {
      this.#stats.addTo(to, this.#read.values, at, this.#read.cycle);
    }
  }
}

/** What the kernel leaves to be worked out from the buckets: the number of lookups, and the sums of small values. */
export function complete(counted: Counted): void {
  counted.lookups = counted.probeLength.reduce((sum, n) => sum + n, 0);
  for (let value = 0; value <= recordConstant('DIRECT_BUCKETS'); value++) {
    counted.probeLengthSum += value * (counted.probeLength[value] ?? 0);
    counted.keyComparisonsSum += value * (counted.keyComparisons[value] ?? 0);
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
  readonly #cycle: FieldReader;
  readonly #states = new StateReader();
  readonly #largestAt: number;
  readonly #latestAt: number;
  readonly #ratioUnit = 2 ** recordConstant('RATIO_UNIT_LOG2');
  readonly #registers: FieldReader;

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
    this.#cycle = field('cycle');
    this.#largestAt = record.offset('stats.largest');
    this.#latestAt = record.offset('stats.latest.seen_at');
    this.#registers = field('map_registers');
  }

  /** Each lookup is in one bucket. */
  lookups(values: Buffer, at: number): number {
    return this.#probeLength.buckets.total(values, at);
  }

  /** @param cycle of which the largest map is wanted; default: that of the latest lookup */
  addTo(to: Counted, values: Buffer, at: number, cycle?: number): void {
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
    to.largest = largerMap(to.largest, this.#largestOf(values, at, cycle));
    to.latest = laterMap(to.latest, this.#states.read(values, at + this.#latestAt));
    includeSketch(to.mapsSketch, this.#registers.bytes(values, at));
  }

  /** The cycle's, if there was a lookup in it; lookups of the next one are counted already. */
  #largestOf(values: Buffer, at: number, cycle?: number): MapState {
    const latest = this.#cycle.number(values, at);
    const wanted = cycle ?? latest;
    return latest < wanted ? NO_MAP : this.#states.read(values, at + this.#largestAt, wanted);
  }
}

/** Reads a map's state. */
class StateReader {
  readonly #record = new RecordReader('map_state');
  readonly #seenAt = this.#record.field('seen_at');
  readonly #entries = this.#record.field('entries');
  readonly #log2Buckets = this.#record.field('log2_buckets');
  readonly #overflow = this.#record.field('overflow');
  readonly #tombstones = this.#record.field('tombstones');
  readonly #directory = this.#record.field('directory');

  /** @param cycle where there is one for even and one for odd cycles */
  read(values: Buffer, at: number, cycle = 0): MapState {
    const start = at + (cycle % recordConstant('LARGEST_CYCLES')) * this.#record.size;
    const seenAt = this.#seenAt.number(values, start);
    if (seenAt === 0) {
      return NO_MAP;
    }
    const directory = this.#directory.number(values, start);
    return {
      seenAt,
      entries: this.#entries.number(values, start),
      buckets: 2 ** this.#log2Buckets.number(values, start),
      overflowBuckets: this.#overflow.number(values, start),
      tombstones: this.#tombstones.number(values, start),
      directory: directory === 0 ? 0 : 2 ** (directory - 1),
    };
  }
}

/** An integer histogram's fields. */
interface Counts {
  readonly buckets: FieldReader;
  readonly sum: FieldReader;
  readonly max: FieldReader;
}
