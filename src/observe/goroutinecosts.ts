import { setTimeout as delay } from 'node:timers/promises';
import { RecordReader, recordConstant, recordEnum } from '../kernel/records.ts';
import { COUNT_BOUNDS, distribution } from '../model/buckets.ts';
import { subtractCost, sumOfCosts } from '../model/goroutines.ts';
import { type CostIncrease, HeaviestGoroutines } from '../model/heaviest.ts';
import type { Distribution, GoroutineCosts, LookupCost } from '../model/snapshot.ts';
import type { LookupProgram } from './program.ts';

/** How long to wait for the hits that count in a table to end, before trying again at the next read. */
const QUIET_MILLIS = 500;

/**
 * Adds up what the lookups of each goroutine cost.
 *
 * The kernel has two tables (bpf/goroutine_cost.bpf.h). A read has the programs count in the other one, waits until no hit
 * is under way that began before, and empties the one that is then left alone: nothing is lost, whatever the target does
 * meanwhile.
 */
export class GoroutineCostReader {
  readonly #program: LookupProgram;
  readonly #heaviest = new HeaviestGoroutines();
  readonly #decoder = new CostDecoder();
  /** A table that hits may still have counted in when the last read gave up. */
  #left: number | undefined;
  #unattributed: ReadonlyMap<string, LookupCost> = new Map();
  #reading: Promise<unknown> = Promise.resolve();

  constructor(program: LookupProgram) {
    this.#program = program;
  }

  /** All costs up to now. Calls take turns. */
  read(): Promise<GoroutineCosts> {
    const turn = this.#reading.then(async () => {
      if (this.#left === undefined || (await this.#empty(this.#left)))
        await this.#empty(this.#program.switchGoroutineTable());
      await this.#readUnattributed();
      return this.#heaviest.costs;
    });
    this.#reading = turn.catch(() => {});
    return turn;
  }

  /** Empties a table that no hit counts in that begins from now on; false when some that began before do not end. */
  async #empty(table: number): Promise<boolean> {
    this.#left = table;
    if (!(await this.#quiet())) return false;
    const { keys, values, count } = await this.#program.kernel.drainMap(`goroutine_costs_${table}`);
    this.#left = undefined;
    this.#heaviest.add(
      Array.from({ length: count }, (_, i) =>
        this.#decoder.goroutine(keys.readBigUInt64LE(8 * i), values, i),
      ),
    );
    return true;
  }

  /**
   * Waits until every hit that was under way has ended: each takes a slot of its CPU before it looks which table to count in,
   * and gives it back when it has counted (bpf/work.bpf.h), so each slot must have been seen free once. Taking a slot is a
   * memory barrier, and so is what lies between the system calls here.
   */
  async #quiet(): Promise<boolean> {
    const end = performance.now() + QUIET_MILLIS;
    let pending: number[] | undefined;
    do {
      const { values, count, cpus } = await this.#program.kernel.readPerCpuMap('slots');
      const stride = values.length / (count * cpus);
      pending ??= Array.from({ length: count * cpus }, (_, i) => i);
      // `busy` is the first word of struct lookup.
      pending = pending.filter((slot) => values.readUInt32LE(slot * stride) !== 0);
      if (pending.length === 0) return true;
      await delay(1);
    } while (performance.now() < end);
    return false;
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
