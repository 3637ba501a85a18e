import stringWidth from 'string-width';
import { callSiteText } from '../../base/call-site.ts';
import { countOf, percent, printable, wholeNumber } from '../../base/text.ts';
import { truncateLeft, truncateMiddle, wrapped } from '../../base/width.ts';
import { quantile } from '../../model/buckets.ts';
import { OTHERS_NAME } from '../../model/position.ts';
import type { Grouping } from '../choices.ts';
import type { SummaryCallSite } from '../summary/schema.ts';
import { GAP, plainTable } from './plain-table.ts';
import { nameOf, type Row, typeText } from './rows.ts';

/** A column of numbers. */
interface NumberColumn {
  readonly head: string;
  readonly cell: (row: Row) => string;
  /** Where room is short: which column goes first, second, ... Those without a number stay. */
  readonly goes?: number;
}

/** What all lookups but one in a hundred have at most. */
const OF_MOST: NumberColumn = {
  head: 'p99',
  cell: ({ probeLength }) => atMost(quantile(probeLength, 0.99)),
  goes: 4,
};

const NUMBER_COLUMNS: readonly NumberColumn[] = [
  { head: 'lookups', cell: ({ lookups }) => wholeNumber(lookups) },
  { head: 'hit %', cell: ({ hits, lookups }) => percent(hits, lookups) },
  { head: 'probes', cell: ({ probeLength, lookups }) => (probeLength.sum / lookups).toFixed(2) },
  OF_MOST,
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
export function legend(rows: readonly Row[], width: number | undefined): string {
  const ofMost = fittingColumns(rows, width).includes(OF_MOST) ? ', of all but 1 %' : '';
  return `probes: buckets or groups that a lookup visits, on average${ofMost}, at most; compares: keys that it compares`;
}

/** Head and rows of the table; below a row stands what is remarkable about its map. */
export function callSiteLines(rows: readonly Row[], by: Grouping, width: number | undefined): string[] {
  const columns = [...fittingColumns(rows, width), ...(by === 'site' ? [] : [SITES])];
  const textRoom = width === undefined ? undefined : width - widthOf(columns, rows);
  const sites = rows.flatMap((row) => row.sites[0] ?? []);
  const room = by === 'site' ? textWidths(textRoom, sites) : { type: 0, callSite: textRoom };
  const [head = '', ...lines] = plainTable(
    [
      [...columns.map((column) => column.head), ...(by === 'site' ? ['type', 'call site'] : [by])],
      ...rows.map((row) => [...columns.map(({ cell }) => cell(row)), ...textCells(row, by, room)]),
    ],
    (column) => column < columns.length,
  );
  const typeRoom = by === 'type' ? (room.callSite ?? Number.POSITIVE_INFINITY) : room.type;
  const declared = by === 'site' || by === 'type' ? typeNotes(sites, typeRoom) : [];
  const below = (i: number): string[] => [...(declared[i] ?? []), ...notes(rows[i])];
  const fitting = (text: string): string[] => (width === undefined ? [text] : wrapped(text, width));
  return [head, ...lines.flatMap((line, i) => [line, ...below(i).flatMap(fitting)])];
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
  sites: readonly SummaryCallSite[],
): { type: number; callSite: number | undefined } {
  if (room === undefined) {
    return { type: Number.POSITIVE_INFINITY, callSite: undefined };
  }
  const longest = Math.max(...sites.map((site) => stringWidth(printable(typeText(site)))));
  const type = Math.max(NARROWEST_TYPE, Math.min(longest, Math.floor((room - GAP) * 0.4)));
  return { type, callSite: Math.max(NARROWEST_SITE, room - GAP - type) };
}

function textCells(
  row: Row,
  by: Grouping,
  { type: typeWidth, callSite: width }: { type: number; callSite: number | undefined },
): string[] {
  const [site] = row.sites;
  if (site === undefined) {
    return [];
  }
  if (by === 'site') {
    const place = site.function === OTHERS_NAME ? OTHERS_NAME : callSiteText(site, width);
    return [shownType(site, typeWidth), place];
  }
  const columns = width === undefined ? Number.POSITIVE_INFINITY : Math.max(NARROWEST_SITE, width);
  return [by === 'type' ? shownType(site, columns) : truncateLeft(printable(nameOf(site, by)), columns)];
}

/** A type with what it is of where there is room for both; else the type. */
function shownType(site: SummaryCallSite, width: number): string {
  const whole = printable(typeText(site));
  return stringWidth(whole) <= width ? whole : truncateMiddle(printable(site.type), width);
}

/** For each row, what its type is of if that has found no room in it, and no row before has said it. */
function typeNotes(sites: readonly SummaryCallSite[], room: number): string[][] {
  const said = new Set<string>();
  return sites.map((site) => {
    const whole = printable(typeText(site));
    const isNew = site.underlyingType !== undefined && stringWidth(whole) > room && !said.has(whole);
    said.add(whole);
    return isNew ? [note(whole)] : [];
  });
}

/** A line below a row. */
function note(text: string): string {
  return `${' '.repeat(GAP)}^ ${text}`;
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
  return found.length === 0 ? [] : [note(found.join('; '))];
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
