import { type TerminalStream, textOf } from '../../src/base/terminal.ts';
import { countOf, printable } from '../../src/base/text.ts';
import { truncateMiddle, wrapped } from '../../src/base/width.ts';
import type { Summary } from '../../src/report/summary/schema.ts';
import { summaryTable } from '../../src/report/table/table.ts';
import type { ReceivedSummary } from '../../test/support/otlp-receiver/summary.ts';

/** Call sites that the demo shows. */
const TOP = 12;

/** What the demo has seen. */
export interface Seen {
  readonly summary: Summary;
  readonly received: ReceivedSummary;
  /** Of the receiver. */
  readonly endpoint: string;
}

/** A command as a shell takes it, in lines of at most `width` columns. */
export function commandText(words: readonly string[], width: number): string {
  return wrapped(words.join(' '), width - 2).join(' \\\n');
}

/** What the demo shows in the end, in lines of at most `width` columns. */
export function demoReport(
  { summary, received, endpoint }: Seen,
  width: number,
  stream?: TerminalStream,
): string {
  const table = summaryTable(summary, { top: TOP, width, ...(stream && { stream }) });
  const metrics = received.metrics.map(({ name, unit, points }) => [name, unit, countOf(points, 'point')]);
  const resource = Object.entries(received.resource).map(([name, value]) => [name, String(value)]);
  const lines = [
    ...wrapped(`What the OTLP receiver at ${endpoint} got:`, width),
    ...columns(metrics, width),
    'of the resource',
    ...columns(resource, width),
  ];
  return `${table}\n${textOf(lines)}`;
}

/** Cells in columns of even width; what is too long for the last one is cut in its middle. */
function columns(rows: readonly (readonly string[])[], width: number): string[] {
  const widths =
    rows[0]?.slice(0, -1).map((_, i) => Math.max(...rows.map((cells) => cells[i]?.length ?? 0))) ?? [];
  return rows.map((cells) => {
    const start = `  ${widths.map((columns, i) => `${cells[i]?.padEnd(columns)} `).join('')}`;
    return start + truncateMiddle(printable(cells.at(-1) ?? ''), width - start.length);
  });
}
