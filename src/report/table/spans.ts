import type { Line } from '../../base/terminal.ts';
import { percent, wholeNumber } from '../../base/text.ts';
import type { Summary } from '../summary/schema.ts';
import { bold, plainTable } from './plain-table.ts';

const COLUMNS = ['lookups', 'hit %', 'probes', 'compares', 'about µs', 'goroutine', 'trace and span'];

/** The spans whose lookups took longest, and how to read their numbers. Empty if there are none. */
export function spanLines({ spans, mode }: Summary, most: number): Line[] {
  const shown = spans?.heaviest.slice(0, most) ?? [];
  if (shown.length === 0) {
    return [];
  }
  const rows = shown.map((span) => [
    wholeNumber(span.lookups),
    percent(span.hits, span.lookups),
    wholeNumber(span.probes),
    wholeNumber(span.keyComparisons),
    (span.estimatedNanoseconds / 1000).toFixed(1),
    String(span.goroutine),
    `${span.traceId} ${span.spanId}`,
  ]);
  const seen = mode === 'windows' ? 'only lookups seen in windows; ' : '';
  const [head = '', ...body] = plainTable([COLUMNS, ...rows], (column) => column < COLUMNS.length - 1);
  return [
    bold(head),
    ...body,
    `spans whose lookups took longest: ${seen}times are estimates for maps in the CPU's caches`,
  ];
}
