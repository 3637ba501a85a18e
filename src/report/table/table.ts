import { type Line, type SafeText, type TerminalStream, textOf } from '../../base/terminal.ts';
import { countOf, printable } from '../../base/text.ts';
import { wrapped } from '../../base/width.ts';
import type { Summary } from '../summary/schema.ts';
import { busiestLine } from './busiest.ts';
import { callSiteLines, legend } from './call-sites.ts';
import { estimateLines } from './estimate.ts';
import { goroutineLines } from './goroutines.ts';
import { bold } from './plain-table.ts';
import { type RowOptions, tableRows } from './rows.ts';
import { spanLines } from './spans.ts';
import { costLine, remarks, spikeLines, targetLine, totalsLine } from './text.ts';

export interface TableOptions extends Partial<RowOptions> {
  /** Columns of the terminal. Without it nothing is shortened or wrapped. */
  width?: number;
  /** The stream to write to, if it may get colours. */
  stream?: TerminalStream;
  /** How many rows to show (20). */
  top?: number;
  /** How many goroutines to show (5). */
  goroutines?: number;
  /** How many spans to show (5). */
  spans?: number;
}

/** The summary for people: the target, the busiest call sites, totals, and what is missing. */
export function summaryTable(summary: Summary, options: TableOptions = {}): SafeText {
  const { top = 20, goroutines = 5, spans = 5, by = 'site', sort = 'lookups', filter, width } = options;
  const rows = tableRows(summary.callSites, { by, sort, filter });
  const shown = rows.slice(0, top);
  const [head = '', ...others] = shown.length > 0 ? callSiteLines(shown, by, width) : [];
  const table: Line[] = shown.length > 0 ? [bold(head), ...others, ''] : [];
  const below: Line[] = [
    ...(shown.length > 0 ? [legend(shown, width)] : nothingMatches(summary, filter)),
    totalsLine(summary),
    ...busiestLine(summary, width),
    costLine(summary),
    ...estimateLines(summary),
    ...partLine(shown.length, rows.length, { by, sort, filter }),
    ...goroutineLines(summary, goroutines),
    ...spanLines(summary, spans),
    ...spikeLines(summary),
    ...remarks(summary).map(({ text, warning }): Line => (warning ? { text, style: 'yellow' } : text)),
  ];
  const fitting = (line: Line): Line[] => (width === undefined ? [line] : fittingLines(line, width));
  const lines = [...fitting(bold(targetLine(summary.target))), '', ...table, ...below.flatMap(fitting)];
  return textOf(lines, options.stream);
}

/** A line in as many as it needs, in its style. */
function fittingLines(line: Line, width: number): Line[] {
  return typeof line === 'string'
    ? wrapped(printable(line), width)
    : wrapped(printable(line.text), width).map((text) => ({ ...line, text }));
}

function nothingMatches({ callSites }: Summary, filter: string | undefined): string[] {
  return filter === undefined || callSites.length === 0
    ? []
    : [`None of ${countOf(callSites.length, 'call site')} has "${filter}" in its type, function or file.`];
}

/** That not all rows are shown, and which; nothing when all are. */
function partLine(shown: number, all: number, { by, sort, filter }: RowOptions): string[] {
  const what = by === 'site' ? 'call site' : by;
  const matching = filter === undefined ? '' : ` with "${filter}"`;
  if (shown === all) {
    return filter === undefined || all === 0 ? [] : [`All ${countOf(all, what)}${matching} are shown.`];
  }
  return [`Shown: the first ${shown} of ${countOf(all, what)}${matching}, by ${sort}; --top shows more.`];
}
