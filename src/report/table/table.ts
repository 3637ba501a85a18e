import { type Line, type SafeText, type TerminalStream, textOf } from '../../base/terminal.ts';
import { countOf } from '../../base/text.ts';
import type { Summary } from '../summary/schema.ts';
import { callSiteLines, LEGEND } from './call-sites.ts';
import { estimateLines } from './estimate.ts';
import { goroutineLines } from './goroutines.ts';
import { bold } from './plain-table.ts';
import { type RowOptions, tableRows } from './rows.ts';
import { spanLines } from './spans.ts';
import { costLine, remarks, spikeLines, targetLine, totalsLine } from './text.ts';

export interface TableOptions extends Partial<RowOptions> {
  /** Columns of the terminal. Without it nothing is shortened. */
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
  const { top = 20, goroutines = 5, spans = 5, by = 'site', sort = 'lookups', filter } = options;
  const rows = tableRows(summary.callSites, { by, sort, filter });
  const shown = rows.slice(0, top);
  const lines: Line[] = [bold(targetLine(summary.target)), ''];
  if (shown.length > 0) {
    const [head = '', ...others] = callSiteLines(shown, by, options.width);
    lines.push(bold(head), ...others, '', LEGEND);
  } else if (filter !== undefined && summary.callSites.length > 0) {
    lines.push(
      `None of ${countOf(summary.callSites.length, 'call site')} has "${filter}" in its type, function or file.`,
    );
  }
  lines.push(
    totalsLine(summary),
    ...estimateLines(summary),
    ...partLine(shown.length, rows.length, { by, sort, filter }),
    costLine(summary),
  );
  lines.push(...goroutineLines(summary, goroutines));
  lines.push(...spanLines(summary, spans));
  lines.push(...spikeLines(summary));
  lines.push(
    ...remarks(summary).map(({ text, warning }): Line => (warning ? { text, style: 'yellow' } : text)),
  );
  return textOf(lines, options.stream);
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
