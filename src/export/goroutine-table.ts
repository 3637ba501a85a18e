import type { Summary, SummaryLookupCost } from '../model/summary-schema.ts';
import { meanAndMax, plainTable } from './plain-table.ts';
import { percent, wholeNumber } from './text.ts';

const COLUMNS = ['lookups', 'share %', 'hit %', 'probes', 'compares', 'goroutine'];

/**
 * The heaviest goroutines, with what they are told apart by, and the rest; nothing when lookups were not counted by
 * goroutine or when there were none. One goroutine alone takes a sentence, not a table.
 */
export function goroutineLines(
  { goroutines, observed }: Summary,
  most: number,
  bold: (text: string) => string,
): string[] {
  if (goroutines === undefined) return [];
  const shown = goroutines.heaviest.slice(0, most);
  const [first] = shown;
  if (first === undefined) return [];
  const others = observed.lookups - shown.reduce((sum, { lookups }) => sum + lookups, 0);
  if (shown.length === 1 && others === 0) return [`All by goroutine ${first.goroutine}.`];
  const rows = shown.map((cost) => [...numberCells(cost, observed.lookups), nameOf(cost)]);
  if (others > 0)
    rows.push([wholeNumber(others), percent(others, observed.lookups), '', '', '', 'all others']);
  return [
    plainTable([COLUMNS.map(bold), ...rows], COLUMNS.length - 1),
    ...(shown.some(({ missingAtMost }) => missingAtMost > 0)
      ? ['+: some of its lookups may be among those of all others']
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
