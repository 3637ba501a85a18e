import { type ExemplarCandidate, hasTrace, traceRank } from '../../model/candidate.ts';
import type { Exemplar } from '../format/document.ts';

/** Kept at most, of all call sites. */
const MOST = 3_000;
/** Of a call site in a minute. */
const MOST_OF_SITE = 4;
/** Of all call sites in a minute. */
const MOST_OF_MINUTE = 100;

const MINUTE_MICROS = 60_000_000;

interface Kept {
  readonly exemplar: Exemplar;
  readonly rank: number;
}

/** Single lookups worth a look, in bounded memory: of each minute and call site those that lead to a trace, and the longest. */
export class Exemplars {
  #minutes: { minute: number; kept: Kept[] }[] = [];

  /** @returns those of them that are kept for now */
  add(
    candidates: readonly ExemplarCandidate[],
    siteOf: (candidate: ExemplarCandidate) => number | undefined,
  ): Exemplar[] {
    const added = candidates.flatMap((candidate) => {
      const site = siteOf(candidate);
      return site === undefined ? [] : [{ exemplar: exemplarOf(candidate, site), rank: rankOf(candidate) }];
    });
    for (const [minute, group] of Map.groupBy(added, ({ exemplar }) =>
      Math.floor(exemplar.time / MINUTE_MICROS),
    )) {
      this.#take(minute, group);
    }
    const kept = new Set(this.#minutes.flatMap((minute) => minute.kept));
    return added.filter((one) => kept.has(one)).map(({ exemplar }) => exemplar);
  }

  /** Oldest minutes first. */
  all(): Exemplar[] {
    return this.#minutes.flatMap(({ kept }) => kept.map(({ exemplar }) => exemplar));
  }

  clear(): void {
    this.#minutes = [];
  }

  #take(minute: number, added: readonly Kept[]): void {
    const known = this.#minutes.find((one) => one.minute === minute);
    const all = [...(known?.kept ?? []), ...added];
    const bySite = Map.groupBy(all, ({ exemplar }) => exemplar.site).values();
    const kept = [...bySite].flatMap((group) => best(group, MOST_OF_SITE));
    const chosen = best(kept, MOST_OF_MINUTE);
    if (known === undefined) {
      this.#minutes.push({ minute, kept: chosen });
      this.#minutes.sort((a, b) => a.minute - b.minute);
    } else {
      known.kept = chosen;
    }
    let count = this.#minutes.reduce((sum, one) => sum + one.kept.length, 0);
    while (count > MOST) {
      count -= this.#minutes.shift()?.kept.length ?? count;
    }
  }
}

function best(kept: readonly Kept[], most: number): Kept[] {
  return kept.length <= most ? [...kept] : kept.toSorted((a, b) => b.rank - a.rank).slice(0, most);
}

/** A trace that is recorded is worth more than any length. */
function rankOf(candidate: ExemplarCandidate): number {
  return traceRank(candidate) * 1e6 + Math.max(candidate.probeLength, candidate.keyComparisons);
}

function exemplarOf(candidate: ExemplarCandidate, site: number): Exemplar {
  const traced = hasTrace(candidate);
  return {
    site,
    hit: candidate.hit,
    time: Number(candidate.time / 1000n),
    probeLength: candidate.probeLength,
    keyComparisons: candidate.keyComparisons,
    traceId: traced ? (candidate.traceId ?? null) : null,
    spanId: traced ? (candidate.spanId ?? null) : null,
    goroutine: candidate.goroutine,
    parentGoroutine: candidate.parentGoroutine ?? null,
  };
}
