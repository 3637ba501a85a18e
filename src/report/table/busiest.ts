import { callSiteText } from '../../base/call-site.ts';
import { percent } from '../../base/text.ts';
import type { Summary, SummaryCallSite } from '../summary/schema.ts';

const HEAD = 'Busiest line: ';

/**
 * The source line that made the most lookups, in a sentence; nothing where none was seen. Several functions, types or instances of
 * a generic function may be at work in one line.
 *
 * @param width columns for what names the line; default: as many as it takes
 */
export function busiestLine(
  { callSites, observed, target, mode }: Summary,
  width = Number.POSITIVE_INFINITY,
): string[] {
  const lines = Map.groupBy(callSites, ({ file, line }) => `${file}:${line}`);
  const [busiest] = [...lines.values()].sort((a, b) => lookupsOf(b) - lookupsOf(a));
  const [site] = busiest?.toSorted((a, b) => b.lookups - a.lookups) ?? [];
  if (busiest === undefined || site === undefined) {
    return [];
  }
  const lookups = lookupsOf(busiest);
  const probes = sum(busiest, ({ probeLength }) => probeLength.sum) / lookups;
  const compares = sum(busiest, ({ keyComparisons }) => keyComparisons.sum) / lookups;
  const visited = target.mapImplementation === 'swiss' ? 'groups' : 'buckets';
  const seen = mode === 'windows' ? ' seen' : '';
  return [
    `${HEAD}${callSiteText(site, width - HEAD.length)}, with ${percent(lookups, observed.lookups)} % of the lookups${seen}; ` +
      `each visited ${probes.toFixed(2)} ${visited} and compared ${compares.toFixed(2)} keys on average.`,
  ];
}

function lookupsOf(sites: readonly SummaryCallSite[]): number {
  return sum(sites, ({ lookups }) => lookups);
}

function sum(sites: readonly SummaryCallSite[], value: (site: SummaryCallSite) => number): number {
  return sites.reduce((total, site) => total + value(site), 0);
}
