import { RecordReader, recordConstant, recordEnum } from '../kernel/records.ts';
import { COUNT_BOUNDS, distribution } from '../model/buckets.ts';
import { subtractCost, sumOfCosts } from '../model/goroutines.ts';
import { type CostIncrease, HeaviestGoroutines } from '../model/heaviest.ts';
import type { Distribution, GoroutineCosts, LookupCost } from '../model/snapshot.ts';
import type { TableContents } from './costtables.ts';
import type { LookupProgram } from './program.ts';

/** Name of the kernel's tables, see CostTables. */
export const GOROUTINE_TABLE = 'goroutine_costs';

/** Adds up what the lookups of each goroutine cost (bpf/goroutine_cost.bpf.h). */
export class GoroutineCostReader {
  readonly #program: LookupProgram;
  readonly #heaviest = new HeaviestGoroutines();
  readonly #decoder = new CostDecoder();
  #unattributed: ReadonlyMap<string, LookupCost> = new Map();

  constructor(program: LookupProgram) {
    this.#program = program;
  }

  /** Adds what a table held. */
  add({ keys, values, count }: TableContents): void {
    this.#heaviest.add(
      Array.from({ length: count }, (_, i) =>
        this.#decoder.goroutine(keys.readBigUInt64LE(8 * i), values, i),
      ),
    );
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
  readonly #goroutine = new RecordReader('goroutine_cost');
  readonly #unattributed = new RecordReader('unattributed_cost');
  readonly #reasons = Object.entries(recordEnum('unattributed')).filter(([name]) => !name.endsWith('_COUNT'));

  /** The i-th of several records. */
  goroutine(id: bigint, values: Buffer, i: number): CostIncrease {
    const at = i * this.#goroutine.size;
    const parent = this.#goroutine.number(values, at, 'parent');
    return {
      goroutine: Number(id),
      ...(parent > 0 && { parentGoroutine: parent }),
      ...this.#cost(this.#goroutine, values, at),
    };
  }

  /** By reason, summed over CPUs. */
  unattributed(values: Buffer, cpus: number): Map<string, LookupCost> {
    return new Map(
      this.#reasons.map(([name, reason]) => [
        name.slice('UNATTRIBUTED_'.length).toLowerCase(),
        sumOfCosts(
          Array.from({ length: cpus }, (_, cpu) =>
            this.#cost(this.#unattributed, values, (reason * cpus + cpu) * this.#unattributed.size),
          ),
        ),
      ]),
    );
  }

  #cost(record: RecordReader, values: Buffer, at: number): LookupCost {
    const probeLength = this.#distribution(record, values, at, 'probe_length');
    return {
      lookups: probeLength.counts.reduce((sum, count) => sum + count, 0),
      hits: record.number(values, at, 'hits'),
      probeLength,
      keyComparisons: this.#distribution(record, values, at, 'key_comparisons'),
    };
  }

  /** The kernel's sum leaves out values that have a bucket each. */
  #distribution(record: RecordReader, values: Buffer, at: number, field: string): Distribution {
    const counts = COUNT_BOUNDS.concat(0).map((_, i) => record.number(values, at, field, i));
    let sum = record.number(values, at, `${field}_sum`);
    for (let value = 1; value <= DIRECT_BUCKETS; value++) sum += value * (counts[value] ?? 0);
    return distribution(COUNT_BOUNDS, counts, sum, record.number(values, at, `${field}_max`));
  }
}
