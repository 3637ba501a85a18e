import type { Following } from '../../model/following.ts';
import { estimatedNanoseconds, heaviestSpans, type SpanCosts } from '../../model/heavy/spans.ts';
import type { Summary } from './schema.ts';

/** The summary's `spans`. @param most how many of the heaviest to show */
export function summarizeSpans(costs: SpanCosts, most: number): NonNullable<Summary['spans']> {
  const { heaviest, otherLookups } = heaviestSpans(costs, most);
  return {
    heaviest: heaviest.map(({ partsCompared, ...span }) => ({
      ...span,
      misses: span.lookups - span.hits,
      estimatedNanoseconds: estimatedNanoseconds({ ...span, partsCompared }),
    })),
    otherLookups,
    lookupsOutside: { ...costs.outside },
  };
}

/** The summary's `following`. */
export function summarizeFollowing(following: Following): NonNullable<Summary['following']> {
  return {
    sources: [...following.sources],
    refused: following.refused.map((one) => ({ ...one })),
    events: { ...following.events },
    lost: { ...following.lost },
  };
}
