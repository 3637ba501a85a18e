import type { Line } from '../../base/terminal.ts';
import { percent, wholeNumber } from '../../base/text.ts';
import type { Summary, SummaryLookupCost } from '../summary/schema.ts';
import { bold, meanAndMax, plainTable } from './plain-table.ts';

const COLUMNS = ['lookups', 'share %', 'hit %', 'probes', 'compares', 'goroutine'];

/**
 * The heaviest goroutines, with what distinguishes them, and the rest. Empty if lookups were not counted per goroutine or there
 * were none. A single goroutine gets a sentence instead of a table.
 */
export function goroutineLines({ goroutines, observed }: Summary, most: number): Line[] {
  if (goroutines === undefined) {
    return [];
  }
  const shown = goroutines.heaviest.slice(0, most);
  const [first] = shown;
  if (first === undefined) {
    return [];
  }
  const others = observed.lookups - shown.reduce((sum, { lookups }) => sum + lookups, 0);
  if (shown.length === 1 && others === 0) {
    return [`All by goroutine ${first.goroutine}.`];
  }
  const rows = shown.map((cost) => [...numberCells(cost, observed.lookups), nameOf(cost)]);
  if (others > 0) {
    rows.push([wholeNumber(others), percent(others, observed.lookups), '', '', '', 'all others']);
  }
  const [head = '', ...body] = plainTable([COLUMNS, ...rows], (column) => column < COLUMNS.length - 1);
  return [
    bold(head),
    ...body,
    ...(shown.some(({ missingAtMost }) => missingAtMost > 0)
      ? ['+: some of its lookups may be counted under all others']
      : []),
  ];
}

function numberCells(cost: SummaryLookupCost & { missingAtMost: number }, all: number): string[] {
  return [
    `${wholeNumber(cost.lookups)}${cost.missingAtMost > 0 ? '+' : ''}`,
    percent(cost.lookups, all),
    percent(cost.hits, cost.lookups),
    meanAndMax(cost.probeLength, cost.lookups),
    meanAndMax(cost.keyComparisons, cost.lookups),
  ];
}

function nameOf(cost: { goroutine: number; parentGoroutine?: number | undefined }): string {
  return cost.parentGoroutine === undefined
    ? String(cost.goroutine)
    : `${cost.goroutine}, started by ${cost.parentGoroutine}`;
}
