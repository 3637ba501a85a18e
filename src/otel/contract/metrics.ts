import {
  ATTR_CODE_FILE_PATH,
  ATTR_CODE_FUNCTION_NAME,
  ATTR_CODE_LINE_NUMBER,
} from '@opentelemetry/semantic-conventions';
import { COUNT_BOUNDS, RATIO_BOUNDS } from '../../model/buckets.ts';

/*
 * The metric contract: every metric that mapscope exports, in one place. The producer builds its data from these
 * entries, instruments are made from them, and docs/metrics.md is generated from them (`npm run docs`).
 */

/** Attributes of data points. Addresses, bucket numbers, keys and values are never among them. */
export const ATTRIBUTES = {
  type: { name: 'gomap.type', description: "The map's type as Go prints it, e.g. `map[string]int`." },
  result: {
    name: 'gomap.lookup.result',
    description: '`hit` when the lookup found its key, `miss` when it did not.',
  },
  functionName: {
    name: ATTR_CODE_FUNCTION_NAME,
    description: 'Fully qualified Go function that made the lookup, with inlining undone.',
  },
  filePath: {
    name: ATTR_CODE_FILE_PATH,
    description: 'Its source file, as the compiler recorded it; absent when not known.',
  },
  lineNumber: { name: ATTR_CODE_LINE_NUMBER, description: 'The line of the lookup; absent when not known.' },
  reason: { name: 'mapscope.reason', description: 'Why, as a short word such as `stack` or `table_full`.' },
  event: {
    name: 'mapscope.event',
    description: 'What a probe that follows spans saw, such as `spanStart`.',
  },
  overflow: {
    name: 'otel.metric.overflow',
    description:
      '`true` on the one series that holds all lookups beyond the series limit, or of all goroutines without a series; ' +
      'it has no other attribute except `gomap.lookup.result`.',
  },
  goroutine: { name: 'gomap.goroutine.id', description: 'The goroutine that made the lookups.' },
  parentGoroutine: {
    name: 'gomap.goroutine.parent_id',
    description: 'The goroutine that started it; absent before Go 1.21.',
  },
} as const;

/** Key of an attribute in ATTRIBUTES. */
export type AttributeKey = keyof typeof ATTRIBUTES;

/** Attributes of exemplars, beside trace id and span id: what would make too many series as attributes of points. */
export const EXEMPLAR_ATTRIBUTES = {
  goroutine: ATTRIBUTES.goroutine,
  parentGoroutine: ATTRIBUTES.parentGoroutine,
} as const;

/** What a metric measures and how it is sent. */
export interface MetricContract {
  readonly name: string;
  readonly kind: 'histogram' | 'counter' | 'gauge';
  /** UCUM; things counted stand in braces. */
  readonly unit: string;
  readonly description: string;
  readonly attributes: readonly AttributeKey[];
  /** Values are whole numbers. */
  readonly integer: boolean;
  /** Inclusive upper bounds, of histograms. */
  readonly bounds?: readonly number[];
  /** Only for targets with this implementation of maps; for the other one the value has no meaning. */
  readonly only?: 'classic' | 'swiss';
  /** Points may carry exemplars. */
  readonly exemplars?: true;
}

type Details = Partial<Pick<MetricContract, 'attributes' | 'integer' | 'bounds' | 'only' | 'exemplars'>>;

/** Attributes of everything that is exported per call site and map type; lookups are split by result, too. */
const SITE: readonly AttributeKey[] = ['type', 'functionName', 'filePath', 'lineNumber'];
const SITE_AND_RESULT: readonly AttributeKey[] = [...SITE, 'result'];

/** Facts about the target's maps, by call site and map type. */
export const MAP_METRICS = {
  probeLength: histogram(
    'gomap.lookup.probe_length',
    '{bucket}',
    'Buckets (classic maps: the home bucket and its overflow chain) or groups (Swiss maps) that a lookup visited, at least 1.',
    { bounds: COUNT_BOUNDS, exemplars: true },
  ),
  keyComparisons: histogram(
    'gomap.lookup.key_comparisons',
    '{comparison}',
    'Full key compares that a lookup made.',
    { bounds: COUNT_BOUNDS, exemplars: true },
  ),
  homePosition: histogram(
    'gomap.lookup.home_position',
    '1',
    'Where the hash sent the key: home bucket or group divided by their number. Even over [0, 1) unless hashes are skewed.',
    { bounds: RATIO_BOUNDS, integer: false },
  ),
  loadFactor: histogram(
    'gomap.lookup.load_factor',
    '1',
    'Entries divided by slots of the map at the time of the lookup.',
    { bounds: RATIO_BOUNDS, integer: false },
  ),
  lookups: counter(
    'gomap.lookups',
    '{lookup}',
    'Lookups seen while probe sites were attached: sampled counts, not scaled.',
    SITE_AND_RESULT,
  ),
  estimatedLookups: counter(
    'gomap.lookups.estimated',
    '{lookup}',
    'Lookups made, estimated: those seen between two snapshots, scaled by the time passed over the time attached.',
    SITE_AND_RESULT,
    { integer: false },
  ),
  growing: counter(
    'gomap.growing',
    '{lookup}',
    'Lookups made while the map was moving its entries to a larger table.',
    SITE_AND_RESULT,
    { only: 'classic' },
  ),
  entries: gauge('gomap.entries', '{entry}', 'Entries of the largest map seen since the start.', SITE),
  buckets: gauge(
    'gomap.buckets',
    '{bucket}',
    'Buckets of the largest map seen; Swiss maps: groups of the table visited.',
    SITE,
  ),
  overflowBuckets: gauge(
    'gomap.overflow_buckets',
    '{bucket}',
    'Overflow buckets of the largest map seen.',
    SITE,
    { only: 'classic' },
  ),
  tombstones: gauge(
    'gomap.tombstones',
    '{slot}',
    'Slots of deleted entries not yet reusable, in the table visited of the largest map seen.',
    SITE,
    { only: 'swiss' },
  ),
  directory: gauge(
    'gomap.directory',
    '{table}',
    'Places for tables in the directory of the largest map seen; 0 of a map of one group.',
    SITE,
    { only: 'swiss' },
  ),
  latestEntries: gauge(
    'gomap.latest.entries',
    '{entry}',
    'Entries of the map that was looked into last. These gauges can fall, those of the largest map cannot.',
    SITE,
  ),
  latestBuckets: gauge(
    'gomap.latest.buckets',
    '{bucket}',
    'Buckets of the map that was looked into last; Swiss maps: groups of the table visited.',
    SITE,
  ),
  latestOverflowBuckets: gauge(
    'gomap.latest.overflow_buckets',
    '{bucket}',
    'Overflow buckets of the map that was looked into last.',
    SITE,
    { only: 'classic' },
  ),
  latestTombstones: gauge(
    'gomap.latest.tombstones',
    '{slot}',
    'Slots of deleted entries not yet reusable, in the table visited of the map that was looked into last.',
    SITE,
    { only: 'swiss' },
  ),
  latestDirectory: gauge(
    'gomap.latest.directory',
    '{table}',
    'Places for tables in the directory of the map that was looked into last; 0 of a map of one group.',
    SITE,
    { only: 'swiss' },
  ),
};

const GOROUTINE: readonly AttributeKey[] = ['goroutine', 'parentGoroutine'];

/** The same lookups by the goroutine that made them, where that is asked for: `--per-goroutine`. */
export const GOROUTINE_METRICS = {
  probeLength: histogram(
    'gomap.goroutine.lookup.probe_length',
    '{bucket}',
    'Buckets or groups that the lookups of a goroutine visited, as `gomap.lookup.probe_length`.',
    { bounds: COUNT_BOUNDS, attributes: GOROUTINE },
  ),
  keyComparisons: histogram(
    'gomap.goroutine.lookup.key_comparisons',
    '{comparison}',
    'Full key compares that the lookups of a goroutine made.',
    { bounds: COUNT_BOUNDS, attributes: GOROUTINE },
  ),
};

/** The sidecar's account of its own work. */
export const SELF_METRICS = {
  hits: counter('mapscope.hits', '{hit}', 'All hits of probe sites, whatever their outcome.'),
  observed: counter('mapscope.lookups.observed', '{lookup}', 'Hits that became a recorded lookup.'),
  deferred: counter(
    'mapscope.hits.deferred',
    '{hit}',
    'Hits whose lookup goes on to a later probe site, which records it.',
  ),
  resumed: counter(
    'mapscope.hits.resumed',
    '{hit}',
    'Hits at a later probe site of lookups that an earlier one has deferred; as many, but for the edges of windows.',
  ),
  empty: counter(
    'mapscope.hits.empty',
    '{hit}',
    'Hits in maps that were emptied between the check of the function and the probe site: no lookups.',
  ),
  leftOut: counter(
    'mapscope.lookups.left_out',
    '{lookup}',
    'Lookups of functions that verifying has found wrong; they are in no other number.',
  ),
  unreadable: counter(
    'mapscope.lookups.unreadable',
    '{lookup}',
    'Lookups that could not be decoded; the reason says what could not be read.',
    ['reason'],
  ),
  dropped: counter('mapscope.lookups.dropped', '{lookup}', 'Lookups decoded but not recorded.', ['reason']),
  inexact: counter(
    'mapscope.lookups.inexact',
    '{lookup}',
    'Recorded lookups whose result or comparison count is not certain.',
    ['reason'],
  ),
  unattributed: counter(
    'mapscope.lookups.unattributed',
    '{lookup}',
    'Recorded lookups not counted for any goroutine: `no_room` for another one, or `no_goroutine` on the thread.',
    ['reason'],
  ),
  windows: counter('mapscope.windows', '{window}', 'Windows opened.'),
  attachedTime: counter(
    'mapscope.attached.time',
    's',
    'Time during which lookups were decoded: all probe sites were attached, and a window was open.',
    [],
    { integer: false },
  ),
  notDecoded: counter(
    'mapscope.hits.not_decoded',
    '{hit}',
    'Hits while no window was open, during attach and detach. Each cost a trap and was not decoded.',
  ),
  estimateError: gauge(
    'mapscope.estimate.error',
    '1',
    'Standard error of the sum of all `gomap.lookups.estimated`, as a share of it. Absent while there were too few windows to know.',
    [],
    { integer: false },
  ),
  underestimate: gauge(
    'mapscope.estimate.shortfall',
    '1',
    'By how much that sum may be too low besides, as a share of the truth: all of it in a program that does nothing but lookups, ' +
      'which windows slow down, nothing in one that waits for requests.',
    [],
    { integer: false },
  ),
  overheadTime: counter(
    'mapscope.overhead.time',
    's',
    'CPU time that observation has cost the target, estimated: hits times what a hit costs, and a fifth for what it does to caches.',
    [],
    { integer: false },
  ),
  targetCpuTime: counter(
    'mapscope.overhead.target.time',
    's',
    'CPU time that the target has used since observation began, that cost included. Absent when it is not known.',
    [],
    { integer: false },
  ),
  overheadShare: gauge(
    'mapscope.overhead.share',
    '1',
    "Share of the target's CPU time that observation has cost, estimated, since it began.",
    [],
    { integer: false },
  ),
  overheadBudget: gauge(
    'mapscope.overhead.budget',
    '1',
    'The share that observation may cost; absent in mode `all`, which has no limit.',
    [],
    { integer: false },
  ),
  trapCost: gauge(
    'mapscope.overhead.hit.time',
    's',
    'What each hit of a probe site costs, as measured, before anything is decoded.',
    [],
    {
      integer: false,
    },
  ),
  decodeCost: gauge('mapscope.overhead.decode.time', 's', 'What decoding a hit costs on top.', [], {
    integer: false,
  }),
  overheadMeasured: gauge(
    'mapscope.overhead.measured',
    '1',
    '1 when these two were measured on this machine and this target, 0 while they are assumed.',
  ),
  otherHits: counter(
    'mapscope.overhead.other.hits',
    '{hit}',
    'Hits of probes outside of lookup functions, whose cost counts towards the same budget.',
  ),
  fullWindows: counter(
    'mapscope.overhead.windows.full',
    '{window}',
    'Windows that ended early, at their hit limit.',
  ),
  overheadStops: counter(
    'mapscope.overhead.stops',
    '{stop}',
    'How often observation paused because it could not keep to the budget.',
  ),
  refusedFunctions: gauge(
    'mapscope.functions.refused',
    '{function}',
    'Lookup functions of the target that are not observed because mapscope could not prove their code safe to probe.',
  ),
  overflowedSeries: gauge(
    'mapscope.series.overflowed',
    '{series}',
    'Series, and goroutines, beyond their limit: they share an overflow series.',
  ),
  heldSeries: gauge(
    'mapscope.series.held',
    '{series}',
    'Series whose counts would have fallen, because `--verify` left a lookup function out: they stay as they are until passed.',
  ),
  failedExports: counter(
    'mapscope.exports.failed',
    '{export}',
    'Exports that failed after all retries, or had nothing to send because it could not be read.',
  ),
  rejectedPoints: counter(
    'mapscope.points.rejected',
    '{point}',
    'Data points that the receiver did not take of requests that it accepted.',
  ),
  uncertainPoints: counter(
    'mapscope.points.uncertain',
    '{point}',
    'Data points that were sent and never answered, with deltas among them: nobody knows whether they arrived, and they are not sent again.',
  ),
  droppedExemplars: counter(
    'mapscope.exemplars.dropped',
    '{exemplar}',
    'Exemplar candidates dropped: there was no room for them, or their lookups are in no series.',
    ['reason'],
  ),
};

/** The sidecar's account of spikes; only when it looks for them. */
export const SPIKE_METRICS = {
  seen: counter('mapscope.spikes', '{spike}', 'Lookups above the spike threshold.'),
  suppressed: counter(
    'mapscope.spikes.suppressed',
    '{spike}',
    'Spikes not sent as log records: above the rate limit of their call site, without memory for them in the kernel, or ' +
      'not accepted by the receiver.',
    ['reason'],
  ),
};

/** The sidecar's account of following spans; only when it does. */
export const FOLLOWING_METRICS = {
  events: counter(
    'mapscope.spans.events',
    '{event}',
    'Hits of the probes that follow spans: starts and ends of spans and requests, and goroutines started.',
    ['event'],
  ),
  lost: counter(
    'mapscope.spans.lost',
    '{event}',
    'Hits of these probes that could not be followed: memory of the target was unreadable, the kernel had no room, or ' +
      'the start of the span that ended was not seen.',
    ['reason'],
  ),
};

/** Instrumentation scopes: facts about the target, and the sidecar's own telemetry. */
export const SCOPES = { maps: 'mapscope', self: 'mapscope.self' } as const;

/** The metrics of one target: those that have a meaning for its implementation of maps. */
export function appliesTo(contract: MetricContract, implementation: 'classic' | 'swiss'): boolean {
  return contract.only === undefined || contract.only === implementation;
}

function histogram(name: string, unit: string, description: string, details: Details): MetricContract {
  return {
    name,
    kind: 'histogram',
    unit,
    description,
    attributes: SITE_AND_RESULT,
    integer: true,
    ...details,
  };
}

function counter(
  name: string,
  unit: string,
  description: string,
  attributes: readonly AttributeKey[] = [],
  details: Details = {},
): MetricContract {
  return { name, kind: 'counter', unit, description, attributes, integer: true, ...details };
}

function gauge(
  name: string,
  unit: string,
  description: string,
  attributes: readonly AttributeKey[] = [],
  details: Details = {},
): MetricContract {
  return { name, kind: 'gauge', unit, description, attributes, integer: true, ...details };
}
