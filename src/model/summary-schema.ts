import { z } from 'zod';

/*
 * The JSON document of `--format json`. This schema is its documentation: `summarize` is checked against it, and
 * whoever reads the document may use it to check what they read. Fields are only ever added within v1, so readers must
 * ignore fields they do not know.
 */

/** Value of the document's `schema` field. */
export const SUMMARY_SCHEMA = 'mapscope/summary/v1';

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
  goVersion: z.string().describe('as the binary says, e.g. go1.26.1'),
  mapImplementation: z.enum(['classic', 'swiss']),
  stripped: z.boolean().describe('the executable has no symbol table'),
  exitCode: z.int().nullable().describe('exit status of a program started by `run`, else null'),
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
    probeSiteHits: count.describe('hits of probe sites, whatever became of them'),
    deferred: count.describe('hits whose lookup is recorded at a later site'),
    notDecoded: count.describe('hits while no window was open, as breakpoints were put in or taken out'),
    inexact: count.describe('recorded lookups whose result or comparison count is not certain'),
    unreadableByReason: reasons,
    droppedByReason: reasons,
    inexactByReason: reasons,
  })
  .refine(({ lookups, hits, misses }) => lookups === hits + misses, 'lookups are hits and misses');

const overhead = z.object({
  budget: z.number().positive().nullable().describe("share of the target's CPU time; null in mode all"),
  share: z.number().nonnegative().describe("estimated cost as a share of the target's CPU time"),
  costSeconds: z.number().nonnegative().describe('estimated CPU time that observation has cost the target'),
  targetCpuSeconds: z.number().nonnegative().describe('CPU time of the target meanwhile, the cost included'),
  measured: z.boolean().describe('what a hit costs was measured here, not assumed'),
  trapSeconds: z.number().nonnegative().describe('of each hit'),
  decodeSeconds: z.number().nonnegative().describe('of decoding a hit, on top'),
  secondsPerHit: z.number().nonnegative().describe('mean cost of all hits, attaching included'),
  hits: count.describe('hits of probe sites'),
  decodedHits: count,
  otherHits: count.describe('hits of probes outside of lookup functions'),
  windows: count,
  attachedSeconds: z.number().nonnegative(),
  fullWindows: count.describe('windows that ended early, at their hit limit'),
  stops: count.describe('how often the budget could not be kept, and observation stopped for a while'),
  relativeError: z
    .number()
    .nonnegative()
    .nullable()
    .describe('standard error of estimatedLookups of all call sites together, as a share of it'),
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
    lookups: count,
    estimatedLookups: count.describe('lookups made, estimated from those counted in windows'),
    hits: count,
    misses: count,
    probeLength: distribution.describe('buckets (classic) or groups (Swiss) visited, at least 1'),
    keyComparisons: distribution.describe('full key compares made'),
    homePosition: distribution.describe('home bucket / number of buckets'),
    loadFactors: distribution.describe('entries / slots at the time of each lookup'),
    maps: count.describe('distinct maps seen, at least'),
    estimatedMaps: z.number().nonnegative().describe('distinct maps, estimated'),
    entries: count.describe('of the largest map seen'),
    buckets: count.describe('of the largest map seen; Swiss: groups of the table visited'),
    overflowBuckets: count.describe('of the largest map seen; classic'),
    tombstones: count.describe('of the largest map seen, in the table visited; Swiss'),
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
  suppressed: count.describe('spikes of the same site that were not told of, since the one before'),
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
  delivered: count.describe('told to a receiver of log records, which accepted them'),
  suppressed: count.describe('told of by no log record'),
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
  other: lookupCost.describe('all other lookups; with those of `heaviest` the whole'),
  unattributed: reasons.describe(
    'lookups in `other` that could not be counted for a goroutine: no_room, too many goroutines at once; ' +
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
        goroutine: count.describe('on which the span began; 0 when not known'),
        lookups: count.describe('made in the span itself, not in spans within it'),
        hits: count,
        misses: count,
        probes: count.describe('buckets (classic) or groups (Swiss) visited, of all lookups together'),
        keyComparisons: count,
        estimatedNanoseconds: z.number().nonnegative().describe('that they took, for maps in caches'),
      }),
    )
    .describe('longest first. Sampled: in windows mode only what windows saw, never scaled'),
  otherLookups: count.describe('made in other spans'),
  lookupsOutside: reasons.describe(
    'made in no span that is known (no_span), or not counted for one (no_room)',
  ),
});

const following = z.object({
  sources: z.array(z.string()).describe('where spans are followed'),
  refused: z.array(z.object({ source: z.string(), reason: z.string() })),
  events: reasons.describe('begins and ends of spans and requests, and goroutines begun'),
  lost: reasons.describe('events that came to nothing: unreadable, no_room, unknown_span'),
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
  callSites: z.array(callSite).describe('most lookups first'),
  spikes: spikes.optional().describe('absent when they were not looked for'),
  spans: spans.optional().describe('the same lookups by span; absent when not counted so'),
  following: following.optional().describe('how spans were followed; absent when they were not'),
  goroutines: goroutines.optional().describe('the same lookups by goroutine; absent when not counted so'),
});

/** The summary document as a type. */
export type Summary = z.infer<typeof summarySchema>;

/** One entry of the summary's `callSites`. */
export type SummaryCallSite = Summary['callSites'][number];

/** The summary's `spikes`. */
export type SummarySpikes = NonNullable<Summary['spikes']>;

/** What the lookups of a goroutine, or of several, cost. */
export type SummaryLookupCost = z.infer<typeof lookupCost>;
