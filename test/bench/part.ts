import type { Owner } from '../support/service.ts';

/** What a part of the benchmark is given: it ends what it has started with the run at the latest. */
export interface Run extends Owner {
  /** Few repetitions: minutes in all. Figures scatter more. */
  readonly quick: boolean;
}

/** A part's results as people read them. */
export interface Report {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Sentences to follow the table. */
  readonly remarks: readonly string[];
}

export interface Measured {
  /** Single numbers, which the JSON document has on top. */
  readonly figures: Readonly<Record<string, number>>;
  /** Everything measured, for the JSON document. */
  readonly details: unknown;
  readonly report: Report;
}

/** One measurement. */
export interface Part {
  /** For --only, and in the JSON document. */
  readonly name: string;
  readonly title: string;
  measure(run: Run): Promise<Measured>;
}
