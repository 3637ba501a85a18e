import { countOf } from '../../base/text.ts';
import type { TableName } from '../../model/full-tables.ts';
import type { Summary } from '../summary/schema.ts';

/** What a full table could not keep, in a sentence. */
const FULL: Readonly<Record<TableName, (count: number, summary: Summary) => string>> = {
  call_sites: (count, { otherCallSites }) =>
    `${countOf(count, 'lookup')} of ${countOf(otherCallSites, 'call site')} are in the row (others): only the busiest are kept apart (--call-sites).`,
  kernel_call_sites: (count) =>
    `${countOf(count, 'lookup')} in (others) are of call sites that the kernel had no room to tell apart; there are more than are counted.`,
  map_types: (count) =>
    `${countOf(count, 'lookup')} were in maps of types made at run time that there was no room to name.`,
  exemplars: (count) => `${countOf(count, 'candidate')} for exemplars had no room in the kernel.`,
  candidates: (count) =>
    `${countOf(count, 'candidate')} for exemplars waited for an export until there was no room for them.`,
  spike_sites: (count) => `${countOf(count, 'spike')} were not recorded: too many call sites had spikes.`,
  goroutines: (count) =>
    `${countOf(count, 'lookup')} could not be counted per goroutine: too many goroutines made lookups at once.`,
  spans: (count) =>
    `${countOf(count, 'lookup')} could not be counted per span: too many spans made lookups at once.`,
  followed_spans: (count) =>
    `${countOf(count, 'span start', 'span starts')} had no room to be followed; some lookups may lack their span.`,
};

/** What there was no room for, a sentence for each table. */
export function fullTables(summary: Summary): string[] {
  return Object.entries(summary.fullTables).flatMap(([table, count]) =>
    count > 0 ? [FULL[table as TableName](count, summary)] : [],
  );
}
