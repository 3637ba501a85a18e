import { setTimeout as delay } from 'node:timers/promises';
import type { ProbeObject } from '../../kernel/addon.ts';
import type { LookupProgram } from '../lookup-program.ts';

/** How long to wait for the hits that count in a table to end, before trying again at the next read. */
const QUIET_MILLIS = 500;

/** Tables are emptied at least this often, also where they do not fill: they count in 32 bits, which last for half an hour. */
const LONGEST_MILLIS = 60_000;

/** One of the kernel's kinds of tables, of which there are two. */
export interface CostTable {
  /** Takes what the first (0) or the second one (1) holds, and leaves it empty. No hit counts in it meanwhile. */
  empty(number: number): Promise<void>;
  /** Whether there may not be room for what the target's next second brings. */
  isFilling(number: number): Promise<boolean>;
}

/** What is asked of a LookupProgram here. */
export interface CountingProgram extends Pick<LookupProgram, 'costTable' | 'switchCostTables'> {
  readonly kernel: Pick<ProbeObject, 'readSharedMap'>;
}

/**
 * The kernel's tables of what goroutines and spans cost. There are two of each: a read has the programs count in the other
 * ones, waits until no hit is under way that began before, and empties those that are then left alone. Nothing is lost,
 * whatever the target does meanwhile.
 */
export class CostTables {
  readonly #program: CountingProgram;
  readonly #tables: readonly CostTable[];
  readonly #now: () => number;
  /** When they were last emptied. */
  #last: number;
  /** Tables that hits may still have counted in when the last read gave up. */
  #left: number | undefined;
  #reading: Promise<unknown> = Promise.resolve();

  /** @param now milliseconds of a clock */
  constructor(
    program: CountingProgram,
    tables: readonly CostTable[],
    now: () => number = () => performance.now(),
  ) {
    this.#program = program;
    this.#tables = tables;
    this.#now = now;
    this.#last = now();
  }

  /** Takes what has been counted if there may soon be no room for more. */
  async makeRoom(): Promise<void> {
    if ((await this.#areFilling()) || this.#now() - this.#last >= LONGEST_MILLIS) {
      await this.drain();
    }
  }

  async #areFilling(): Promise<boolean> {
    const { costTable } = this.#program;
    const filling = await Promise.all(this.#tables.map((table) => table.isFilling(costTable)));
    return filling.includes(true);
  }

  /** Takes what has been counted since the last call. Calls take turns. */
  drain(): Promise<void> {
    const turn = this.#reading.then(async () => {
      if (this.#left === undefined || (await this.#empty(this.#left))) {
        await this.#empty(this.#program.switchCostTables());
      }
    });
    this.#reading = turn.catch(() => {});
    return turn;
  }

  /** Empties tables that no hit counts in that begins from now on; false when some that began before do not end. */
  async #empty(number: number): Promise<boolean> {
    this.#left = number;
    if (!(await this.#quiet())) {
      return false;
    }
    for (const table of this.#tables) {
      await table.empty(number);
    }
    this.#left = undefined;
    this.#last = this.#now();
    return true;
  }

  /**
   * Waits until every hit that was under way has ended: each takes scratch before it looks which table to count in,
   * and gives it back when it has counted (bpf/lib/scratch.bpf.h), so all of it must have been seen free once. Taking it is a
   * memory barrier, and so is what lies between the system calls here.
   */
  async #quiet(): Promise<boolean> {
    const end = performance.now() + QUIET_MILLIS;
    let pending: number[] | undefined;
    do {
      const { values, count } = await this.#program.kernel.readSharedMap('lookup_scratch');
      const stride = values.length / count;
      pending ??= Array.from({ length: count }, (_, i) => i);
      // `busy` is the first word of struct lookup.
      pending = pending.filter((number) => values.readUInt32LE(number * stride) !== 0);
      if (pending.length === 0) {
        return true;
      }
      await delay(1);
    } while (performance.now() < end);
    return false;
  }
}
