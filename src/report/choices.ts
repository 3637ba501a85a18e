/* What a report can be asked for. Apart from what makes reports, because help and completion need only the words. */

/** Forms of a report: for people; one JSON document; one for each target, a line each; a page in one file. */
export const FORMATS = ['table', 'json', 'jsonl', 'html'] as const;
export type Format = (typeof FORMATS)[number];

/** What a row of the table stands for. */
export const GROUPINGS = ['site', 'type', 'function', 'package'] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** What rows can be sorted by, largest first. */
export const ORDERS = ['lookups', 'misses', 'probes', 'compares', 'load', 'entries'] as const;
export type Order = (typeof ORDERS)[number];
