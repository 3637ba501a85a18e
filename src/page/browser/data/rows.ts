import { packageOf } from '../../../base/call-site.ts';
import type { Site } from '../../format/document.ts';
import type { MapShape } from '../../format/interval.ts';
import { TALLY, type Tally } from '../../format/tally.ts';
import { type RangeTotals, sumOfSites } from './ranges.ts';

/** What a row stands for. */
export const GROUPINGS = ['site', 'type', 'function', 'package'] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** Call sites taken together: one, or those of a type, a function or a package. */
export interface Row {
  /** Unique among the rows of a grouping, and the same over time. */
  readonly key: string;
  readonly sites: readonly number[];
  /** Everything about it; made when it is asked for, which most rows are not. */
  readonly tally: Tally;
  readonly hits: number;
  readonly lookups: number;
  /** Lookups made, estimated. */
  readonly estimated: number;
  /** Groups or buckets visited by the lookups that were counted, */
  readonly visits: number;
  /** and by each. */
  readonly probes: number;
  readonly many: number;
  /** Groups or buckets visited beyond the first of each lookup, estimated for all lookups. */
  readonly excess: number;
  readonly comparisons: number;
  readonly load: number;
  /** Of the largest of the maps looked into last. */
  readonly shape: MapShape | undefined;
}

/** What rows can be sorted by. */
export const ORDERS: Readonly<Record<string, (row: Row) => number | string>> = {
  name: ({ key }) => key,
  rate: ({ estimated }) => estimated,
  hits: ({ hits, lookups }) => hits / lookups,
  probes: ({ probes }) => probes,
  many: ({ many, lookups }) => many / lookups,
  excess: ({ excess }) => excess,
  compares: ({ comparisons }) => comparisons,
  load: ({ load }) => load,
  entries: ({ shape }) => shape?.entries ?? 0,
  dead: ({ shape }) => (shape === undefined ? 0 : shape.tombstones + shape.overflowBuckets),
};

/** The key of the group that a call site belongs to. */
export function groupKey(site: Site, by: Grouping): string {
  switch (by) {
    case 'type':
      return site.type;
    case 'function':
      return site.function;
    case 'package':
      return packageOf(site.function);
    default:
      return `${site.file}:${site.line} ${site.function} ${site.variant} ${site.type}`;
  }
}

/** Whether a text is part of a call site's type, function or place, in any case of letters. */
function matches(site: Site, part: string): boolean {
  const text = `${site.type}\n${site.function}\n${site.file}:${site.line}\n${site.variant}`.toLowerCase();
  return text.includes(part.toLowerCase());
}

/** Call sites by the row that they belong to. */
export function groupsOf(sites: readonly Site[], by: Grouping, filter: string): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  sites.forEach((site, number) => {
    if (filter !== '' && !matches(site, filter)) {
      return;
    }
    const key = groupKey(site, by);
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, [number]);
    } else {
      group.push(number);
    }
  });
  return groups;
}

/** The rows with lookups, in any order. */
export function rowsOf(totals: RangeTotals, groups: ReadonlyMap<string, readonly number[]>): Row[] {
  const rows: Row[] = [];
  for (const [key, sites] of groups) {
    const row = rowOf(totals, key, sites);
    if (row !== undefined) {
      rows.push(row);
    }
  }
  return rows;
}

/** The same rows, sorted. */
export function sorted(rows: readonly Row[], order: string, descending: boolean): Row[] {
  const by = ORDERS[order] ?? (({ estimated }) => estimated);
  const sign = descending ? -1 : 1;
  return rows
    .map((row) => ({ row, value: by(row) }))
    .sort((a, b) => sign * compare(a.value, b.value) || compare(a.row.key, b.row.key))
    .map(({ row }) => row);
}

/** Undefined without lookups. */
export function rowOf(totals: RangeTotals, key: string, sites: readonly number[]): Row | undefined {
  let [lookups, hits, visits, estimated, many, comparisons, load] = [0, 0, 0, 0, 0, 0, 0];
  let shape: MapShape | undefined;
  for (const site of sites) {
    lookups += totals.ofSite(site, TALLY.lookups);
    hits += totals.lookups(2 * site + 1);
    visits += totals.ofSite(site, TALLY.probes);
    estimated += totals.ofSite(site, TALLY.estimated) / 1000;
    many += totals.manyProbes(site);
    comparisons += totals.ofSite(site, TALLY.comparisons);
    load += totals.ofSite(site, TALLY.load) / 1e6;
    shape = larger(shape, totals.shape(site));
  }
  if (lookups === 0) {
    return undefined;
  }
  let tally: Tally | undefined;
  return {
    key,
    sites,
    get tally() {
      tally ??= sumOfSites(totals, sites);
      return tally;
    },
    lookups,
    hits,
    estimated,
    visits,
    excess: ((visits - lookups) / lookups) * estimated,
    probes: visits / lookups,
    many,
    comparisons: comparisons / lookups,
    load: load / lookups,
    shape,
  };
}

/** The row whose lookups walk furthest, all together; of equal ones the one whose key comes first. */
export function furthest(rows: readonly Row[]): Row | undefined {
  return rows.reduce<Row | undefined>(
    (found, row) =>
      found === undefined || row.excess > found.excess || (row.excess === found.excess && row.key < found.key)
        ? row
        : found,
    undefined,
  );
}

function larger(one: MapShape | undefined, other: MapShape | undefined): MapShape | undefined {
  return one === undefined || (other !== undefined && other.entries > one.entries) ? other : one;
}

function compare(a: number | string, b: number | string): number {
  return a < b ? -1 : Number(a > b);
}
