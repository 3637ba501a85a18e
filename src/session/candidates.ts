import type { CandidateSource, ExemplarCandidate } from '../model/candidate.ts';

/** Kept for one who takes none, at most. */
const MOST_WAITING = 20_000;

/** Lookups that may become exemplars, for several who take them: what one has taken the others still get. */
export class SharedCandidates {
  readonly #source: CandidateSource;
  readonly #waiting: ExemplarCandidate[][] = [];

  constructor(source: CandidateSource) {
    this.#source = source;
  }

  /** One more who takes them. */
  subscribe(): CandidateSource {
    const own: ExemplarCandidate[] = [];
    this.#waiting.push(own);
    return {
      drainCandidates: () => {
        this.#handOut();
        return own.splice(0);
      },
    };
  }

  #handOut(): void {
    const found = this.#source.drainCandidates();
    for (const waiting of this.#waiting) {
      waiting.push(...found);
      waiting.splice(0, waiting.length - MOST_WAITING);
    }
  }
}
