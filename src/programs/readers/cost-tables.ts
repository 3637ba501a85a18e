import type { ProbeObject } from '../../kernel/addon.ts';
import type { LookupProgram } from '../lookup-program.ts';
import { hitsHaveEnded } from './quiet.ts';

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
    if (!(await hitsHaveEnded(this.#program.kernel))) {
      return false;
    }
    for (const table of this.#tables) {
      await table.empty(number);
    }
    this.#left = undefined;
    this.#last = this.#now();
    return true;
  }
}
