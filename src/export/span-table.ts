import type { Summary } from '../model/summary-schema.ts';
import { plainTable } from './plain-table.ts';
import { percent, wholeNumber } from './text.ts';

const COLUMNS = ['lookups', 'hit %', 'probes', 'compares', 'about µs', 'goroutine', 'trace and span'];

/** The spans whose lookups took longest, and what is to be known of the numbers; nothing when there are none. */
export function spanLines({ spans, mode }: Summary, most: number, bold: (text: string) => string): string[] {
  const shown = spans?.heaviest.slice(0, most) ?? [];
  if (shown.length === 0) return [];
  const rows = shown.map((span) => [
    wholeNumber(span.lookups),
    percent(span.hits, span.lookups),
    wholeNumber(span.probes),
    wholeNumber(span.keyComparisons),
    (span.estimatedNanoseconds / 1000).toFixed(1),
    String(span.goroutine),
    `${span.traceId} ${span.spanId}`,
  ]);
  const seen = mode === 'windows' ? 'only lookups that windows saw; ' : '';
  return [
    plainTable([COLUMNS.map(bold), ...rows], COLUMNS.length - 1),
    `spans whose lookups took longest: ${seen}time is estimated, for maps in the processor's caches`,
  ];
}
