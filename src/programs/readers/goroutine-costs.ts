import { encodeWord, RecordReader, recordConstant, recordEnum } from '../../kernel/records.ts';
import { COUNT_BOUNDS, distribution, total } from '../../model/buckets.ts';
import type { Distribution } from '../../model/distribution.ts';
import { subtractCost, sumOfCosts } from '../../model/heavy/goroutines.ts';
import { type CostIncrease, HeaviestGoroutines } from '../../model/heavy/heaviest.ts';
import type { GoroutineCosts, LookupCost } from '../../model/snapshot.ts';
import { type LookupProgram, MOST_GOROUTINES } from '../lookup-program.ts';
import type { CostTable } from './cost-tables.ts';

/** Entries of a table that are taken when it is emptied: few, so that the rest suffices for a second. */
const FILLING = MOST_GOROUTINES / 8;

/** Adds up what the lookups of each goroutine cost (bpf/counts/goroutine_cost.bpf.h). */
export class GoroutineCostReader implements CostTable {
  readonly #program: LookupProgram;
  readonly #heaviest = new HeaviestGoroutines();
  readonly #decoder = new CostDecoder();
  #unattributed: ReadonlyMap<string, LookupCost> = new Map();

  constructor(program: LookupProgram) {
    this.#program = program;
  }

  async isFilling(number: number): Promise<boolean> {
    return (await this.#asked(number)) > FILLING;
  }

  async empty(number: number): Promise<void> {
    const { kernel } = this.#program;
    const asked = await this.#asked(number);
    if (asked === 0) {
      return;
    }
    const { values, count } = await kernel.readSharedMap(`goroutine_costs_${number}`, asked);
    kernel.updateMap('goroutine_counts', encodeWord(number), Buffer.alloc(8), 1);
    this.#heaviest.add(Array.from({ length: count }, (_, i) => this.#decoder.goroutine(values, i)));
  }

  /** How many goroutines have asked for an entry: more than have one, when there are too many. */
  async #asked(number: number): Promise<number> {
    const { values } = await this.#program.kernel.readSharedMap('goroutine_counts');
    return Number(values.readBigUInt64LE(8 * number));
  }

  /** All costs that have been added, and those that are of no goroutine. */
  async read(): Promise<GoroutineCosts> {
    await this.#readUnattributed();
    return this.#heaviest.costs;
  }

  /** The kernel counts these on: what is new is the difference. */
  async #readUnattributed(): Promise<void> {
    const { values, cpus } = await this.#program.kernel.readPerCpuMap('unattributed_costs');
    const now = this.#decoder.unattributed(values, cpus);
    for (const [reason, cost] of now) {
      const before = this.#unattributed.get(reason);
      this.#heaviest.addUnattributed(reason, before === undefined ? cost : subtractCost(cost, before));
    }
    this.#unattributed = now;
  }
}

const DIRECT_BUCKETS = recordConstant('DIRECT_BUCKETS');

/** Decodes the kernel's records of costs. */
class CostDecoder {
  readonly #goroutines = new CostRecord('goroutine_cost');
  readonly #goroutine = new RecordReader('goroutine_cost').offset('goroutine');
  readonly #parent = new RecordReader('goroutine_cost').offset('parent');
  readonly #unattributed = new CostRecord('unattributed_cost');
  readonly #reasons = Object.entries(recordEnum('unattributed')).filter(([name]) => !name.endsWith('_COUNT'));

  /** The i-th of several records. */
  goroutine(values: Buffer, i: number): CostIncrease {
    const at = i * this.#goroutines.size;
    const goroutine = Number(values.readBigUInt64LE(at + this.#goroutine));
    const cost: CostIncrease = { goroutine, ...this.#goroutines.read(values, at) };
    const parent = Number(values.readBigUInt64LE(at + this.#parent));
    if (parent > 0) {
      cost.parentGoroutine = parent;
    }
    return cost;
  }

  /** By reason, summed over CPUs. */
  unattributed(values: Buffer, cpus: number): Map<string, LookupCost> {
    const costs = (reason: number) =>
      Array.from({ length: cpus }, (_, cpu) =>
        this.#unattributed.read(values, (reason * cpus + cpu) * this.#unattributed.size),
      );
    return new Map(
      this.#reasons.map(([name, reason]) => [
        name.slice('UNATTRIBUTED_'.length).toLowerCase(),
        sumOfCosts(costs(reason)),
      ]),
    );
  }
}

/** Where a record keeps one distribution. */
interface DistributionPlace {
  readonly counts: number;
  readonly countSize: number;
  readonly sum: number;
  readonly max: number;
  readonly maxSize: number;
}

/**
 * Reads what both kinds of records have. There may be thousands of goroutines each second, so that fields are not looked up
 * by name.
 */
class CostRecord {
  readonly size: number;
  readonly #hits: number;
  readonly #probeLength: DistributionPlace;
  readonly #keyComparisons: DistributionPlace;

  constructor(struct: 'goroutine_cost' | 'unattributed_cost') {
    const record = new RecordReader(struct);
    const place = (field: 'probe_length' | 'key_comparisons'): DistributionPlace => ({
      counts: record.offset(field),
      countSize: record.elementSize(field),
      sum: record.offset(`${field}_sum`),
      max: record.offset(`${field}_max`),
      maxSize: record.elementSize(`${field}_max`),
    });
    this.size = record.size;
    this.#hits = record.offset('hits');
    this.#probeLength = place('probe_length');
    this.#keyComparisons = place('key_comparisons');
  }

  read(values: Buffer, at: number): LookupCost {
    const probeLength = distributionAt(this.#probeLength, values, at);
    return {
      lookups: total(probeLength),
      hits: Number(values.readBigUInt64LE(at + this.#hits)),
      probeLength,
      keyComparisons: distributionAt(this.#keyComparisons, values, at),
    };
  }
}

/** The kernel's sum leaves out values that have a bucket each. */
function distributionAt(place: DistributionPlace, values: Buffer, at: number): Distribution {
  const counts: number[] = [];
  let sum = Number(values.readBigUInt64LE(at + place.sum));
  for (let i = 0; i <= COUNT_BOUNDS.length; i++) {
    const count = unsigned(values, at + place.counts + i * place.countSize, place.countSize);
    if (i <= DIRECT_BUCKETS) {
      sum += i * count;
    }
    counts.push(count);
  }
  return distribution(COUNT_BOUNDS, counts, sum, unsigned(values, at + place.max, place.maxSize));
}

function unsigned(values: Buffer, at: number, size: number): number {
  return size === 4 ? values.readUInt32LE(at) : Number(values.readBigUInt64LE(at));
}
