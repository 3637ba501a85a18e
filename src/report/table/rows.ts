import { packageOf } from '../../base/call-site.ts';
import { mergeDistributions } from '../../model/buckets.ts';
import type { Distribution } from '../../model/distribution.ts';
import type { Grouping, Order } from '../choices.ts';
import type { SummaryCallSite } from '../summary/schema.ts';

/** Which rows a table has, and in which order. */
export interface RowOptions {
  readonly by: Grouping;
  readonly sort: Order;
  /** A part of the type, the function or the file, in any case of letters; undefined: all. */
  readonly filter: string | undefined;
}

/** Call sites taken together: those of a type, a function or a package, or a single one. */
export interface Row {
  readonly sites: readonly SummaryCallSite[];
  readonly lookups: number;
  readonly hits: number;
  readonly misses: number;
  readonly probeLength: Distribution;
  readonly keyComparisons: Distribution;
  /** Mean over the lookups. */
  readonly loadFactor: number;
  /** Of the largest map. */
  readonly entries: number;
}

/** The rows of a table, sorted. */
export function tableRows(callSites: readonly SummaryCallSite[], { by, sort, filter }: RowOptions): Row[] {
  const chosen = filter === undefined ? callSites : callSites.filter((site) => matches(site, filter));
  const groups =
    by === 'site' ? chosen.map((site) => [site]) : Map.groupBy(chosen, (site) => nameOf(site, by)).values();
  const key = KEYS[sort];
  return Array.from(groups, rowOf).sort((a, b) => key(b) - key(a));
}

/** What a row is called by its grouping. */
export function nameOf(site: SummaryCallSite, by: Exclude<Grouping, 'site'>): string {
  if (by === 'type') {
    return typeText(site);
  }
  return by === 'function' ? site.function : packageOf(site.function);
}

/** A map's type, with what it is of where it was declared: `ast.SymbolTable = map[string]*ast.Symbol`. */
export function typeText({ type, underlyingType }: SummaryCallSite): string {
  return underlyingType === undefined ? type : `${type} = ${underlyingType}`;
}

const KEYS: Readonly<Record<Order, (row: Row) => number>> = {
  lookups: ({ lookups }) => lookups,
  misses: ({ misses }) => misses,
  probes: ({ probeLength, lookups }) => probeLength.sum / lookups,
  compares: ({ keyComparisons, lookups }) => keyComparisons.sum / lookups,
  load: ({ loadFactor }) => loadFactor,
  entries: ({ entries }) => entries,
};

function matches(site: SummaryCallSite, part: string): boolean {
  const text = `${typeText(site)}\n${site.function}\n${site.file}:${site.line}`.toLowerCase();
  return text.includes(part.toLowerCase());
}

function rowOf(sites: readonly SummaryCallSite[]): Row {
  const lookups = sum(sites, (site) => site.lookups);
  return {
    sites,
    lookups,
    hits: sum(sites, (site) => site.hits),
    misses: sum(sites, (site) => site.misses),
    probeLength: sites.map((site): Distribution => site.probeLength).reduce(mergeDistributions),
    keyComparisons: sites.map((site): Distribution => site.keyComparisons).reduce(mergeDistributions),
    loadFactor: sum(sites, (site) => site.loadFactor * site.lookups) / lookups,
    entries: Math.max(...sites.map((site) => site.entries)),
  };
}

function sum(sites: readonly SummaryCallSite[], value: (site: SummaryCallSite) => number): number {
  return sites.reduce((total, site) => total + value(site), 0);
}
