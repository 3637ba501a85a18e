import type { ExemplarCandidate } from '../../src/model/candidate.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { DEFAULT_LABELS } from '../../src/model/trace-sources.ts';
import type { FollowedSource } from '../../src/observe/assemble.ts';
import { Observation } from '../../src/observe/observation.ts';
import { endOf } from '../support/accounts.ts';
import { opened } from '../support/opened.ts';
import { type LoadOptions, type LoadReport, runLoad, type Shop, type TruthPiece } from '../support/shop.ts';

/** What was seen of the shop under load, and the truth. */
export interface Seen {
  readonly candidates: readonly ExemplarCandidate[];
  readonly truth: readonly TruthPiece[];
  readonly load: LoadReport;
  readonly warnings: readonly string[];
  /** The last snapshot. */
  readonly snapshot: Snapshot;
}

export interface SeenOptions {
  readonly followed: readonly FollowedSource[];
  readonly withLabels?: boolean;
  readonly spanCosts?: boolean;
  readonly load?: LoadOptions;
}

/** How long a cycle of candidates is, in milliseconds: short, so that there are many of them. */
const CYCLE_MILLIS = 50;

/** Observes the shop under load, every lookup, and stops it. */
export async function observeShop(shop: Shop, options: SeenOptions): Promise<Seen> {
  const observation = await Observation.start({
    ...opened(shop.pid),
    mode: 'all',
    budget: 1,
    exemplars: { withoutTrace: true },
    ...(options.withLabels && { labels: DEFAULT_LABELS }),
    followed: options.followed,
    ...(options.spanCosts && { spanCosts: true }),
  });
  const candidates: ExemplarCandidate[] = [];
  const collect = async () => {
    await observation.snapshot();
    candidates.push(...observation.drainCandidates());
  };
  let loading = true;
  const collecting = (async () => {
    while (loading) {
      await collect();
      await new Promise((resolve) => setTimeout(resolve, CYCLE_MILLIS));
    }
  })();
  const load = await runLoad(shop, options.load ?? { rate: 200, seconds: 3, sample: 0.5 });
  loading = false;
  await collecting;
  const snapshot = await endOf(observation);
  candidates.push(...observation.drainCandidates());
  return { candidates, truth: await shop.stop(), load, warnings: observation.warnings, snapshot };
}

/** What became of the candidates, by what the truth says of their lookups. */
export interface Verdict {
  /** The truth's trace, and its span. */
  right: number;
  /** The truth's trace, but another of its spans. */
  otherSpan: number;
  /** A trace that the lookup was not made in. */
  wrong: ExemplarCandidate[];
  /** No trace, although the lookup was made in a sampled one. */
  missing: ExemplarCandidate[];
  /** No trace, and there is none, or one that is not recorded. */
  none: number;
  /** Lookups that the truth does not tell of. */
  untold: ExemplarCandidate[];
}

/** Compares each candidate with the pieces of work that its goroutine did at that line at that time. */
export function judge({ candidates, truth }: Pick<Seen, 'candidates' | 'truth'>): Verdict {
  const verdict: Verdict = { right: 0, otherSpan: 0, wrong: [], missing: [], none: 0, untold: [] };
  const byGoroutine = Map.groupBy(truth, (piece) => piece.goroutine);
  for (const candidate of candidates) {
    const pieces = (byGoroutine.get(candidate.goroutine) ?? []).filter(
      (piece) =>
        piece.line === candidate.callSite.line &&
        piece.file.endsWith(candidate.callSite.file.split('/').at(-1) ?? '') &&
        piece.start - SLACK <= candidate.time &&
        candidate.time <= piece.end + SLACK,
    );
    if (pieces.length === 0) {
      verdict.untold.push(candidate);
    } else if (candidate.traceId === undefined) {
      if (pieces.some((piece) => piece.traceId === '' || !piece.sampled)) {
        verdict.none++;
      } else {
        verdict.missing.push(candidate);
      }
    } else if (!pieces.some((piece) => piece.traceId === candidate.traceId)) {
      verdict.wrong.push(candidate);
    } else if (pieces.some((piece) => piece.spanId === candidate.spanId)) {
      verdict.right++;
    } else {
      verdict.otherSpan++;
    }
  }
  return verdict;
}

/** In nanoseconds. All times are of the same clocks, put together anew each time that candidates are read. */
const SLACK = 100_000n;
