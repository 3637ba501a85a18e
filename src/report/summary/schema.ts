import { z } from 'zod';
import { TABLES, type TableName } from '../../model/full-tables.ts';

/*
 * The JSON document of `--format json`. This schema is its documentation: tests check `summarize` against it, and readers may
 * check documents with it. Within v1, fields are only added, so that readers must ignore fields they do not know.
 */

/** Value of the document's `schema` field. */
export const SUMMARY_SCHEMA = 'mapscope/summary/v1';

/** The same for the document with the summaries of several targets, in `targets`. */
export const SUMMARIES_SCHEMA = 'mapscope/summaries/v1';

const count = z.int().nonnegative();
const reasons = z.record(z.string(), count);

const distribution = z
  .object({
    bounds: z.array(z.number()).describe('inclusive upper bounds, ascending'),
    counts: z.array(count).describe('one more element than bounds'),
    sum: z.number().nonnegative(),
    max: z.number().nonnegative(),
  })
  .refine(
    ({ bounds, counts }) => counts.length === bounds.length + 1,
    'counts has one more element than bounds',
  )
  .refine(
    ({ bounds }) => bounds.every((bound, index) => index === 0 || bound > (bounds[index - 1] ?? bound)),
    'bounds ascend',
  );

const target = z.object({
  pid: z.int().positive(),
  exe: z.string().describe('path of the executable'),
  image: z
    .string()
    .optional()
    .describe(
      'path of what is observed, when that is not the executable: a Go library, or a program that a dynamic loader has loaded',
    ),
  goVersion: z.string().describe('as the binary says, e.g. go1.26.1'),
  mapImplementation: z.enum(['classic', 'swiss']),
  stripped: z.boolean().describe('the executable has no symbol table'),
  exitCode: z
    .int()
    .nullable()
    .describe(
      'exit status of a program started by `run`; null for others, for children of it, and when a signal ended it',
    ),
  signal: z
    .string()
    .nullable()
    .describe(
      'name of the signal that ended a program started by `run`, such as SIGSEGV; null when none did',
    ),
});

const observed = z
  .object({
    lookups: count.describe('lookups counted: hits + misses'),
    estimatedLookups: count.describe('lookups made, estimated from those counted in windows'),
    hits: count.describe('lookups that found their key'),
    misses: count.describe('lookups that did not'),
    unreadable: count.describe('lookups seen that could not be decoded'),
    dropped: count.describe('lookups decoded that could not be recorded'),
    windows: count,
    attachedSeconds: z.number().nonnegative().describe('time during which lookups were decoded'),
    seconds: z.number().nonnegative().describe('time from the start of the observation'),
    probeSiteHits: count.describe('all hits of probe sites, whatever their outcome'),
    deferred: count.describe('hits whose lookup is recorded at a later site'),
    deferredAndMatched: count.describe('those of them whose lookup a later site has seen'),
    empty: count.describe('hits in maps that were emptied meanwhile: no lookups'),
    leftOut: count.describe('lookups of functions that verifying has found wrong, in no other number'),
    notDecoded: count.describe('hits while no window was open, during attach and detach'),
    unaccounted: z.int().describe('hits without an outcome: 0, or something is wrong with the numbers'),
    inexact: count.describe('recorded lookups whose result or comparison count is not certain'),
    unreadableByReason: reasons,
    droppedByReason: reasons,
    inexactByReason: reasons,
  })
  .refine(({ lookups, hits, misses }) => lookups === hits + misses, 'lookups are hits and misses')
  .refine(
    (o) =>
      o.probeSiteHits ===
      o.lookups + o.deferred + o.unreadable + o.dropped + o.empty + o.leftOut + o.notDecoded + o.unaccounted,
    'every hit of a probe site has one outcome',
  )
  .refine((o) => o.deferredAndMatched <= o.deferred, 'no more is matched than deferred');

const overhead = z.object({
  budget: z.number().positive().nullable().describe("share of the target's CPU time; null in mode all"),
  share: z
    .number()
    .nonnegative()
    .nullable()
    .describe("estimated cost as a share of the target's CPU time; null: that is not known"),
  costSeconds: z
    .number()
    .nonnegative()
    .describe('estimated CPU time that observation has cost the target, margin included'),
  targetCpuSeconds: z
    .number()
    .nonnegative()
    .nullable()
    .describe('CPU time of the target meanwhile, the cost included; null: not known'),
  measured: z.boolean().describe('the cost of a hit was measured here, not assumed'),
  trapSeconds: z.number().nonnegative().describe('of each hit, as measured or assumed'),
  decodeSeconds: z.number().nonnegative().describe('of decoding a hit, on top'),
  margin: z
    .number()
    .nonnegative()
    .describe(
      'added to these two in costSeconds, as a share: a hit also disturbs the caches of what follows it',
    ),
  secondsPerHit: z.number().nonnegative().describe('mean cost of all hits, attaching included'),
  hits: count.describe('hits of probe sites'),
  decodedHits: count,
  otherHits: count.describe('hits of probes outside of lookup functions'),
  windows: count,
  attachedSeconds: z.number().nonnegative(),
  fullWindows: count.describe('windows that ended early, at their hit limit'),
  stops: count.describe('how often observation paused because it could not keep to the budget'),
  relativeError: z
    .number()
    .nonnegative()
    .nullable()
    .describe(
      'standard error of estimatedLookups of all call sites together, as a share of it; null: too few windows to know',
    ),
  underestimate: z
    .number()
    .nonnegative()
    .nullable()
    .describe(
      'by how much that sum may be too low besides, as a share of the truth: windows slow lookups down; 1: there is no telling how much',
    ),
});

const lookupFunction = z.object({
  name: z.string().describe('without "runtime."'),
  lookups: count,
  estimatedLookups: count,
  hits: count,
  misses: count,
  sites: count.describe('probe sites'),
});

const callSite = z
  .object({
    function: z.string().describe('fully qualified Go function, inlining undone'),
    file: z.string(),
    line: z.int().nonnegative(),
    variant: z.string().describe('lookup function, without "runtime."'),
    type: z.string().describe('map type, as Go prints it'),
    underlyingType: z
      .string()
      .optional()
      .describe('what a declared map type is of, e.g. map[string]int; absent when `type` says that itself'),
    lookups: count,
    estimatedLookups: count.describe('lookups made, estimated from those counted in windows'),
    hits: count,
    misses: count,
    probeLength: distribution.describe('buckets (classic) or groups (Swiss) visited, at least 1'),
    keyComparisons: distribution.describe('full key compares made'),
    homePosition: distribution.describe('home bucket / number of buckets'),
    loadFactors: distribution.describe('entries / slots at the time of each lookup'),
    maps: count.describe('distinct maps seen, at least'),
    estimatedMaps: z
      .number()
      .nonnegative()
      .nullable()
      .describe('distinct maps, estimated, with a standard error below 5 %; null: more than some million'),
    entries: count.describe('of the largest map seen since the start'),
    buckets: count.describe('of the largest map seen; Swiss: groups of the table visited'),
    overflowBuckets: count.describe('of the largest map seen; classic'),
    tombstones: count.describe('of the largest map seen, in the table visited; Swiss'),
    directory: count.describe(
      'of the largest map seen, its places for tables; Swiss, 0 of a map of one group',
    ),
    latest: z
      .object({
        entries: count,
        buckets: count,
        overflowBuckets: count,
        tombstones: count,
        directory: count,
      })
      .describe('the same of the map that was looked into last'),
    loadFactor: z.number().nonnegative().describe('mean over the lookups'),
    growing: count.describe('lookups made while the map was moving its entries; classic'),
    inexact: count.describe('lookups whose result or comparison count is not certain'),
  })
  .refine(({ lookups, hits, misses }) => lookups === hits + misses, 'lookups are hits and misses');

const spike = z.object({
  time: z.iso.datetime({ precision: 9 }),
  function: z.string(),
  file: z.string(),
  line: z.int().nonnegative(),
  type: z.string(),
  result: z.enum(['hit', 'miss']),
  probeLength: count,
  keyComparisons: count,
  probeLengthLimit: count.describe('the most that would not have been a spike'),
  keyComparisonsLimit: count.describe('the most that would not have been a spike'),
  goroutine: count.describe('0: not known'),
  parentGoroutine: count.optional(),
  traceId: z.string().optional(),
  spanId: z.string().optional(),
  sampled: z.boolean().optional(),
  suppressed: count.describe('spikes of the same site that were dropped since the previous one'),
  map: z
    .object({
      entries: count,
      buckets: count,
      homeBucket: count,
      slots: count,
      usedSlots: count,
      overflowBuckets: count,
      tombstones: count,
      growing: z.boolean(),
    })
    .describe('the map at that moment; Swiss: the table visited, except for entries'),
});

const spikes = z.object({
  threshold: z.string().describe('such as 16, or 8x for a multiple of the mean of the call site'),
  seen: count.describe('lookups that passed the threshold'),
  delivered: count.describe('sent as log records and accepted by the receiver'),
  suppressed: count.describe('not sent as log records'),
  suppressedByReason: reasons,
  latest: z.array(spike).describe('the newest few, newest first'),
});

const lookupCost = z
  .object({
    lookups: count,
    hits: count,
    misses: count,
    probeLength: distribution.describe('buckets (classic) or groups (Swiss) visited, at least 1'),
    keyComparisons: distribution.describe('full key compares made'),
  })
  .refine(({ lookups, hits, misses }) => lookups === hits + misses, 'lookups are hits and misses');

const goroutines = z.object({
  heaviest: z
    .array(
      lookupCost.safeExtend({
        goroutine: count.describe('the id, as Go prints it'),
        parentGoroutine: count
          .optional()
          .describe('the goroutine that started it; absent before Go 1.21, and for the first one'),
        missingAtMost: count.describe(
          'lookups of this goroutine that may be in `other`, at most: it was not always among the heaviest',
        ),
      }),
    )
    .describe('most lookups first'),
  other: lookupCost.describe('all other lookups; together with `heaviest` these are all lookups'),
  unattributed: reasons.describe(
    'lookups in `other` that could not be counted per goroutine: no_room, too many goroutines at once; ' +
      'no_goroutine, made by a thread that has none',
  ),
});

const spans = z.object({
  heaviest: z
    .array(
      z.object({
        traceId: z.string(),
        spanId: z.string(),
        sampled: z.boolean().optional().describe('whether the span is recorded; absent when not known'),
        goroutine: count.describe('on which the span started; 0 when not known'),
        lookups: count.describe('made in the span itself, not in spans within it'),
        hits: count,
        misses: count,
        probes: count.describe('buckets (classic) or groups (Swiss) visited, of all lookups together'),
        keyComparisons: count,
        estimatedNanoseconds: z
          .number()
          .nonnegative()
          .describe('time that these lookups took, for maps in caches'),
      }),
    )
    .describe('longest first. Sampled: in windows mode only what windows saw, never scaled'),
  otherLookups: count.describe('made in other spans'),
  lookupsOutside: reasons.describe(
    'made outside of any known span (no_span), or not counted for lack of room (no_room)',
  ),
});

const following = z.object({
  sources: z.array(z.string()).describe('where spans are followed'),
  refused: z.array(z.object({ source: z.string(), reason: z.string() })),
  events: reasons.describe('starts and ends of spans and requests, and goroutines started'),
  lost: reasons.describe('events that could not be followed: unreadable, no_room, unknown_span'),
});

/** Schema of the summary document, version 1. Numbers are sampled counts, never scaled, unless their name says `estimated`. */
export const summarySchema = z.object({
  schema: z.literal(SUMMARY_SCHEMA),
  target,
  mode: z.enum(['all', 'windows']),
  observed,
  overhead: overhead.describe('what observation cost the target'),
  functions: z.array(lookupFunction),
  refusedFunctions: z
    .array(z.object({ name: z.string(), reason: z.string() }))
    .describe('lookup functions of the target that were not observed'),
  callSites: z
    .array(callSite)
    .describe(
      'most lookups first; the last one, whose names are "(others)", is of all that are not kept apart, where there are such',
    ),
  otherCallSites: count.describe('call sites and map types in "(others)", as far as known apart'),
  fullTables: z
    .partialRecord(z.enum(Object.keys(TABLES) as [TableName, ...TableName[]]), count)
    .describe(
      'what there was no room for, by the table that was full; tables that are not in use are absent',
    ),
  spikes: spikes.optional().describe('absent when mapscope did not look for spikes'),
  spans: spans.optional().describe('the same lookups per span; absent when not counted per span'),
  following: following.optional().describe('how spans were followed; absent when they were not'),
  goroutines: goroutines
    .optional()
    .describe('the same lookups per goroutine; absent when not counted per goroutine'),
});

/** Schema of the document with the summaries of several targets. */
export const summariesSchema = z.object({
  schema: z.literal(SUMMARIES_SCHEMA),
  targets: z
    .array(summarySchema)
    .describe('in the order of their process ids; images of one process follow one another'),
});

/** The summary document as a type. */
export type Summary = z.infer<typeof summarySchema>;

/** One entry of the summary's `callSites`. */
export type SummaryCallSite = Summary['callSites'][number];

/** The summary's `spikes`. */
export type SummarySpikes = NonNullable<Summary['spikes']>;

/** What the lookups of a goroutine, or of several, cost. */
export type SummaryLookupCost = z.infer<typeof lookupCost>;
