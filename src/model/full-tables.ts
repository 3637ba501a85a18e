/**
 * The tables of bounded size, here and in the kernel, and what is counted when they are full. Each is a table's word in metrics
 * and documents.
 */
export const TABLES = {
  call_sites:
    'lookups counted without their call site and map type, because only the busiest ones are kept apart',
  kernel_call_sites: 'those of them that the kernel had no room for under their own name',
  map_types: 'lookups in maps whose type, made at run time, could not be noted and has no name',
  exemplars: 'candidates for exemplars that the kernel had no room for',
  candidates: 'candidates for exemplars dropped because nobody had asked for them in time',
  spike_sites: 'spikes at a call site of which the kernel had no room to keep any',
  goroutines: 'lookups that could not be counted for their goroutine',
  spans: 'lookups that could not be counted for their span',
  followed_spans: 'starts of spans, requests and goroutines that could not be followed',
} as const;

/** A table's word. */
export type TableName = keyof typeof TABLES;

/** What there was no room for, by table, since the start. Tables that are not in use are absent. */
export type FullTables = Readonly<Partial<Record<TableName, number>>>;

/**
 * Call sites, each with a map type, that are kept apart by default. With hits and misses that are 2,000 series of a metric, the
 * cardinality limit that the OpenTelemetry specification recommends for SDKs.
 */
export const DEFAULT_CALL_SITES = 1000;

/** The most that may be asked for: what the kernel tells apart. */
export const MOST_CALL_SITES = 4096;
