import type { EpochClock } from '../kernel/epoch-clock.ts';
import type { ExemplarCandidate } from '../model/candidate.ts';
import type { LookupProgram } from '../programs/lookup-program.ts';
import type { CandidateReader } from '../programs/readers/candidates.ts';

/** Candidates kept for the next export: nobody may ask for them. */
const MOST_CANDIDATES = 20_000;

/** What a collection is made from. */
interface Source {
  readonly program: Pick<LookupProgram, 'kernel'>;
  readonly clock: EpochClock;
}

/** The candidates for exemplars of the cycles that have ended, until somebody asks for them. */
export class Candidates {
  readonly #reader: CandidateReader;
  readonly #source: Source;
  readonly #waiting: ExemplarCandidate[] = [];
  #dropped = 0;

  constructor(reader: CandidateReader, source: Source) {
    this.#reader = reader;
    this.#source = source;
  }

  /** Those that there was no room for; the oldest ones go. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Those collected since the last call. */
  drain(): ExemplarCandidate[] {
    return this.#waiting.splice(0);
  }

  /** Collects those of the cycle that has ended. */
  async collect(cycle: bigint): Promise<void> {
    const { program, clock } = this.#source;
    this.#waiting.push(...(await this.#reader.read(program.kernel, cycle, clock.offset)));
    const tooMany = this.#waiting.length - MOST_CANDIDATES;
    if (tooMany > 0) {
      this.#waiting.splice(0, tooMany);
      this.#dropped += tooMany;
    }
  }
}
