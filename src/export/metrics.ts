import {
  ATTR_CODE_FILE_PATH,
  ATTR_CODE_FUNCTION_NAME,
  ATTR_CODE_LINE_NUMBER,
} from '@opentelemetry/semantic-conventions';
import { COUNT_BOUNDS, RATIO_BOUNDS } from '../model/buckets.ts';

/*
 * The metric contract: every metric that mapscope exports, in one place. The producer builds its data from these
 * entries and docs/metrics.md is generated from them (generate-docs.ts).
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
    description: 'Fully qualified Go function that asked for the lookup, with inlining undone.',
  },
  filePath: {
    name: ATTR_CODE_FILE_PATH,
    description: 'Its source file, as the compiler recorded it; absent when not known.',
  },
  lineNumber: { name: ATTR_CODE_LINE_NUMBER, description: 'The line of the lookup; absent when not known.' },
  reason: { name: 'mapscope.reason', description: 'Why, as a short word such as `stack` or `table_full`.' },
  event: {
    name: 'mapscope.event',
    description: 'What a probe that follows spans has seen, such as `spanStart`.',
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

/** Attributes of everything that is told per call site and map type; lookups are told by result, too. */
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
  entries: gauge('gomap.entries', '{entry}', 'Entries of the largest map seen.', SITE),
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
  hits: counter('mapscope.hits', '{hit}', 'Hits of probe sites, whatever became of them.'),
  observed: counter('mapscope.lookups.observed', '{lookup}', 'Hits that became a recorded lookup.'),
  deferred: counter(
    'mapscope.hits.deferred',
    '{hit}',
    'Hits whose lookup goes on to a later probe site, which records it.',
  ),
  unreadable: counter(
    'mapscope.lookups.unreadable',
    '{lookup}',
    'Lookups that could not be decoded, by what could not be read.',
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
    'Recorded lookups that are counted for no goroutine: `no_room` for another one, or `no_goroutine` on the thread.',
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
    'Hits while no window was open, as breakpoints were put in or taken out one by one.',
  ),
  overheadTime: counter(
    'mapscope.overhead.time',
    's',
    'CPU time that observation has cost the target, estimated: hits times what a hit costs.',
    [],
    { integer: false },
  ),
  targetCpuTime: counter(
    'mapscope.overhead.target.time',
    's',
    'CPU time that the target has used since observation began, that cost included.',
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
    'The share that it may cost; absent in mode `all`, which has no limit.',
    [],
    { integer: false },
  ),
  trapCost: gauge(
    'mapscope.overhead.hit.time',
    's',
    'What each hit of a probe site costs, before anything is decoded.',
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
    'How often the budget could not be kept, so that observation stopped for a while.',
  ),
  refusedFunctions: gauge(
    'mapscope.functions.refused',
    '{function}',
    'Lookup functions of the target that are not observed, because their code was not understood.',
  ),
  overflowedSeries: gauge(
    'mapscope.series.overflowed',
    '{series}',
    'Series beyond the series limit, and goroutines beyond theirs, which share an overflow series.',
  ),
  failedExports: counter('mapscope.exports.failed', '{export}', 'Exports given up after their retries.'),
  droppedExemplars: counter(
    'mapscope.exemplars.dropped',
    '{exemplar}',
    'Lookups that might have become exemplars, and were not kept: there was no room, or they are in no series.',
    ['reason'],
  ),
};

/** The sidecar's account of spikes; only when it looks for them. */
export const SPIKE_METRICS = {
  seen: counter('mapscope.spikes', '{spike}', 'Lookups that passed the spike threshold.'),
  suppressed: counter(
    'mapscope.spikes.suppressed',
    '{spike}',
    'Spikes that no log record tells of: beyond the rate of their call site, without memory for them in the kernel, or ' +
      'not accepted by the receiver.',
    ['reason'],
  ),
};

/** The sidecar's account of following spans; only when it does. */
export const FOLLOWING_METRICS = {
  events: counter(
    'mapscope.spans.events',
    '{event}',
    'Hits of the probes that follow spans: begins and ends of spans and requests, and goroutines begun.',
    ['event'],
  ),
  lost: counter(
    'mapscope.spans.lost',
    '{event}',
    'Such hits that came to nothing: memory of the target was unreadable, the kernel had no room, or the begin of the ' +
      'span that ends was not seen.',
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
