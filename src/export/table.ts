import { styleText } from 'node:util';
import type { Summary, SummaryCallSite } from '../model/summary-schema.ts';
import { goroutineLines } from './goroutine-table.ts';
import { GAP, meanAndMax, plainTable } from './plain-table.ts';
import { spanLines } from './span-table.ts';
import { costLine, remarks, spikeLines, targetLine, totalsLine } from './table-text.ts';
import { callSiteText, percent, printable, truncateRight, wholeNumber } from './text.ts';

export interface TableOptions {
  /** Columns of the terminal; without it nothing is shortened. */
  width?: number;
  color?: boolean;
  /** How many call sites to show (20). */
  top?: number;
  /** How many goroutines to show (5). */
  goroutines?: number;
  /** How many spans to show (5). */
  spans?: number;
}

const COLUMNS = ['lookups', 'hit %', 'probes', 'compares', 'load', 'entries', 'type', 'call site'];
const NUMBERS = COLUMNS.length - 2;
/** Columns never get narrower than this; on a terminal that is too narrow the lines wrap. */
const NARROWEST_TYPE = 10;
const NARROWEST_SITE = 18;

/** The summary for people: the target, the busiest call sites, totals, and plainly what is missing. */
export function summaryTable(summary: Summary, options: TableOptions = {}): string {
  const { color = false, top = 20, goroutines = 5, spans = 5 } = options;
  const bold = (text: string): string => paint(color, 'bold', text);
  const shown = summary.callSites.slice(0, top);
  const lines = [bold(targetLine(summary)), ''];
  if (shown.length > 0) {
    lines.push(callSiteTable(shown, options.width, bold), '');
    lines.push('probes: buckets or groups visited; compares: keys compared; both as mean/max of a lookup');
  }
  lines.push(totalsLine(summary, shown.length), costLine(summary));
  lines.push(...goroutineLines(summary, goroutines, bold));
  lines.push(...spanLines(summary, spans, bold));
  lines.push(...spikeLines(summary));
  lines.push(...remarks(summary).map(({ text, warning }) => (warning ? paint(color, 'yellow', text) : text)));
  return `${lines.join('\n')}\n`;
}

function callSiteTable(
  callSites: readonly SummaryCallSite[],
  width: number | undefined,
  bold: (text: string) => string,
): string {
  const numbers = callSites.map(numberCells);
  const types = callSites.map(({ type }) => printable(type));
  const numbersWidth = COLUMNS.slice(0, NUMBERS)
    .map((head, column) => Math.max(head.length, ...numbers.map((cells) => cells[column]?.length ?? 0)) + GAP)
    .reduce((sum, column) => sum + column, 0);
  const room = textWidths(width === undefined ? undefined : width - numbersWidth - GAP, types);

  const rows = callSites.map((callSite, row) => [
    ...(numbers[row] ?? []),
    truncateRight(types[row] ?? '', room.type),
    callSiteText(callSite, room.callSite),
  ]);
  return plainTable([COLUMNS.map(bold), ...rows], NUMBERS);
}

/** Shares what the numbers leave: types take what they need up to two fifths, call sites the rest. */
function textWidths(room: number | undefined, types: readonly string[]): { type: number; callSite: number } {
  if (room === undefined) {
    return { type: Number.POSITIVE_INFINITY, callSite: Number.POSITIVE_INFINITY };
  }
  const longest = Math.max(...types.map((type) => [...type].length));
  const type = Math.max(NARROWEST_TYPE, Math.min(longest, Math.floor(room * 0.4)));
  return { type, callSite: Math.max(NARROWEST_SITE, room - type) };
}

function numberCells(callSite: SummaryCallSite): string[] {
  return [
    wholeNumber(callSite.lookups),
    percent(callSite.hits, callSite.lookups),
    meanAndMax(callSite.probeLength, callSite.lookups),
    meanAndMax(callSite.keyComparisons, callSite.lookups),
    callSite.loadFactor.toFixed(2),
    wholeNumber(callSite.entries),
  ];
}

function paint(color: boolean, style: 'bold' | 'yellow', text: string): string {
  return color ? styleText(style, text, { validateStream: false }) : text;
}
