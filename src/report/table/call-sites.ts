import stringWidth from 'string-width';
import { callSiteText } from '../../base/call-site.ts';
import { countOf, percent, printable, truncateLeft, truncateMiddle, wholeNumber } from '../../base/text.ts';
import { quantile } from '../../model/buckets.ts';
import { OTHERS_NAME } from '../../model/position.ts';
import type { SummaryCallSite } from '../summary/schema.ts';
import { GAP, plainTable } from './plain-table.ts';
import { type Grouping, nameOf, type Row } from './rows.ts';

/** A column of numbers. */
interface NumberColumn {
  readonly head: string;
  readonly cell: (row: Row) => string;
  /** Where room is short: which column goes first, second, ... Those without a number stay. */
  readonly goes?: number;
}

const NUMBER_COLUMNS: readonly NumberColumn[] = [
  { head: 'lookups', cell: ({ lookups }) => wholeNumber(lookups) },
  { head: 'hit %', cell: ({ hits, lookups }) => percent(hits, lookups) },
  { head: 'probes', cell: ({ probeLength, lookups }) => (probeLength.sum / lookups).toFixed(2) },
  { head: 'p99', cell: ({ probeLength }) => atMost(quantile(probeLength, 0.99)), goes: 4 },
  { head: 'max', cell: ({ probeLength }) => wholeNumber(probeLength.max) },
  { head: 'compares', cell: ({ keyComparisons, lookups }) => (keyComparisons.sum / lookups).toFixed(2) },
  { head: 'max', cell: ({ keyComparisons }) => wholeNumber(keyComparisons.max), goes: 1 },
  { head: 'load', cell: ({ loadFactor }) => loadFactor.toFixed(2), goes: 2 },
  { head: 'entries', cell: ({ entries }) => wholeNumber(entries), goes: 3 },
];
/** What texts need, so that they say something. */
const ROOM_FOR_TEXTS = 55;
/** Call sites of a row that stands for several. */
const SITES: NumberColumn = { head: 'sites', cell: ({ sites }) => wholeNumber(sites.length) };
/** Columns are never narrower than this. On a terminal without room for that the lines wrap. */
const NARROWEST_TYPE = 10;
const NARROWEST_SITE = 18;

/** What the columns hold, in a line. */
export const LEGEND =
  'probes: buckets or groups that a lookup visits, on average, of all but 1 %, at most; compares: keys that it compares';

/** Head and rows of the table; below a row stands what is remarkable about its map. */
export function callSiteLines(rows: readonly Row[], by: Grouping, width: number | undefined): string[] {
  const columns = [...fittingColumns(rows, width), ...(by === 'site' ? [] : [SITES])];
  const types = rows.map((row) => printable(by === 'site' ? (row.sites[0]?.type ?? '') : ''));
  const textRoom = width === undefined ? undefined : width - widthOf(columns, rows);
  const room = by === 'site' ? textWidths(textRoom, types) : { type: 0, callSite: textRoom };
  const [head = '', ...lines] = plainTable(
    [
      [...columns.map((column) => column.head), ...(by === 'site' ? ['type', 'call site'] : [by])],
      ...rows.map((row, i) => [
        ...columns.map(({ cell }) => cell(row)),
        ...textCells(row, by, types[i] ?? '', room),
      ]),
    ],
    (column) => column < columns.length,
  );
  return [head, ...lines.flatMap((line, i) => [line, ...notes(rows[i])])];
}

/** The columns of numbers that leave room for texts. */
function fittingColumns(rows: readonly Row[], width: number | undefined): readonly NumberColumn[] {
  let columns = NUMBER_COLUMNS;
  for (let next = 1; width !== undefined && width - widthOf(columns, rows) < ROOM_FOR_TEXTS; next++) {
    const fewer = columns.filter(({ goes }) => goes !== next);
    if (fewer.length === columns.length) {
      break;
    }
    columns = fewer;
  }
  return columns;
}

/** What columns take, with the gap after each. */
function widthOf(columns: readonly NumberColumn[], rows: readonly Row[]): number {
  return columns
    .map(({ head, cell }) => Math.max(head.length, ...rows.map((row) => cell(row).length)) + GAP)
    .reduce((sum, column) => sum + column, 0);
}

/** Divides the width that the numbers leave: types take what they need, up to two fifths, and call sites the rest. */
function textWidths(
  room: number | undefined,
  types: readonly string[],
): { type: number; callSite: number | undefined } {
  if (room === undefined) {
    return { type: Number.POSITIVE_INFINITY, callSite: undefined };
  }
  const longest = Math.max(...types.map((type) => stringWidth(type)));
  const type = Math.max(NARROWEST_TYPE, Math.min(longest, Math.floor((room - GAP) * 0.4)));
  return { type, callSite: Math.max(NARROWEST_SITE, room - GAP - type) };
}

function textCells(
  row: Row,
  by: Grouping,
  type: string,
  { type: typeWidth, callSite: width }: { type: number; callSite: number | undefined },
): string[] {
  const [site] = row.sites;
  if (site === undefined) {
    return [];
  }
  if (by === 'site') {
    const place = site.function === OTHERS_NAME ? OTHERS_NAME : callSiteText(site, width);
    return [truncateMiddle(type, typeWidth), place];
  }
  const name = printable(nameOf(site, by));
  const shorten = by === 'type' ? truncateMiddle : truncateLeft;
  return [width === undefined ? name : shorten(name, Math.max(NARROWEST_SITE, width))];
}

function atMost({ value, isExact }: { value: number; isExact: boolean }): string {
  return `${isExact ? '' : '≤'}${wholeNumber(value)}`;
}

/** From which share on something of a map is remarkable. */
const REMARKABLE = { tombstones: 0.1, overflow: 0.2, growing: 0.01 };

/** What is remarkable about the map of a call site, in a line. */
function notes(row: Row | undefined): string[] {
  const [site] = row?.sites ?? [];
  if (site === undefined || row?.sites.length !== 1) {
    return [];
  }
  const found = [...tombstones(site), ...overflow(site), ...growth(site)];
  return found.length === 0 ? [] : [`${' '.repeat(GAP)}^ ${found.join('; ')}`];
}

function tombstones({ tombstones: count, entries }: SummaryCallSite): string[] {
  return count > 0 && count >= REMARKABLE.tombstones * entries
    ? [`${countOf(count, 'tombstone')} in the table of the largest map`]
    : [];
}

function overflow({ overflowBuckets, buckets }: SummaryCallSite): string[] {
  return overflowBuckets > 0 && overflowBuckets >= REMARKABLE.overflow * buckets
    ? [`${countOf(overflowBuckets, 'overflow bucket')} beside ${wholeNumber(buckets)}`]
    : [];
}

function growth({ growing, lookups }: SummaryCallSite): string[] {
  return growing > 0 && growing >= REMARKABLE.growing * lookups
    ? [`${percent(growing, lookups)} % of lookups while it grew`]
    : [];
}
