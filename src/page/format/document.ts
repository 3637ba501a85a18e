/*
 * What the page gets from the sidecar, over HTTP or within its own file: JSON, with the history as bytes in base64. Within v1,
 * fields are only added.
 */

import type { SourcePosition } from '../../model/position.ts';

/** Value of the document's `schema` field. */
export const PAGE_SCHEMA = 'mapscope/page/v1';

/** A call site with its lookup function and map type: what cells are counted for. */
export interface Site extends SourcePosition {
  variant: string;
  type: string;
}

/** Successive intervals, compressed (raw deflate) or not: a block for the head of each, a block for the cells of each. */
export interface PackedIntervals {
  compressed: boolean;
  heads: string;
  /** Null where memory did not suffice. */
  cells: string | null;
}

/** What was seen of a target over time. */
export interface HistoryDocument {
  sites: Site[];
  /** About a second each, as long ago as memory suffices; then those of about a minute. Where both are, they are of the same lookups. */
  fine: PackedIntervals[];
  coarse: PackedIntervals[];
  exemplars: Exemplar[];
}

/** One lookup in full. */
export interface Exemplar {
  /** Index into `sites`. */
  site: number;
  hit: boolean;
  /** Microseconds since 1970. */
  time: number;
  probeLength: number;
  keyComparisons: number;
  traceId: string | null;
  spanId: string | null;
  /** 0: not known. */
  goroutine: number;
  parentGoroutine: number | null;
}

/** One more interval, as an event. */
export interface IntervalEvent {
  /** Call sites that are new, in the order of their numbers, and how many there were before. */
  known: number;
  sites: Site[];
  head: string;
  cells: string;
  exemplars: Exemplar[];
}

export interface TargetFacts {
  pid: number;
  exe: string;
  image: string | null;
  goVersion: string;
  mapImplementation: 'classic' | 'swiss';
  stripped: boolean;
  mode: 'all' | 'windows';
}

/** What some lookups cost since the observation began. */
export interface CostFacts {
  lookups: number;
  hits: number;
  probes: number;
  comparisons: number;
}

/** The state of an observation that has no history: as it is now, counted since the start. */
export interface NowDocument {
  /** Microseconds since 1970. */
  time: number;
  startTime: number;
  seconds: number;
  attachedSeconds: number;
  windows: number;
  lookups: number;
  estimatedLookups: number;
  overhead: {
    budget: number | null;
    share: number | null;
    costSeconds: number;
    targetCpuSeconds: number | null;
    measured: boolean;
    trapSeconds: number;
    decodeSeconds: number;
    stops: number;
    fullWindows: number;
    relativeError: number | null;
    underestimate: number | null;
  };
  unreadable: Record<string, number>;
  dropped: Record<string, number>;
  inexact: Record<string, number>;
  leftOut: number;
  refused: { name: string; reason: string }[];
  /** Null when not counted. */
  goroutines: {
    heaviest: (CostFacts & {
      goroutine: number;
      parentGoroutine: number | null;
      missingAtMost: number;
    })[];
    other: CostFacts;
  } | null;
  spans: {
    heaviest: (CostFacts & { traceId: string; spanId: string; goroutine: number; nanoseconds: number })[];
    otherLookups: number;
  } | null;
  spikes: { threshold: string; seen: number; latest: SpikeFacts[] } | null;
}

/** A lookup above the spike threshold. */
export interface SpikeFacts {
  time: number;
  function: string;
  file: string;
  line: number;
  type: string;
  hit: boolean;
  probeLength: number;
  keyComparisons: number;
  traceId: string | null;
  spanId: string | null;
  goroutine: number;
  entries: number;
  slots: number;
  usedSlots: number;
  tombstones: number;
  overflowBuckets: number;
}

/** A target in the list. */
export interface TargetEntry {
  /** Unique in the document. */
  id: number;
  facts: TargetFacts;
  /** It is observed no more. */
  ended: boolean;
}

/** What the page has to know first. */
export interface StateDocument {
  schema: typeof PAGE_SCHEMA;
  version: string;
  /** With `{trace_id}` and perhaps `{span_id}`; null: traces have no links. */
  traceUrl: string | null;
  /** Bytes that the history of all targets may take. */
  historyBytes: number;
  targets: TargetEntry[];
}

/** A target with all there is of it. */
export interface TargetDocument extends TargetEntry {
  now: NowDocument | null;
  history: HistoryDocument;
  /** The JSON report, where the observation has ended (mapscope/summary/v1). */
  summary: unknown;
}

/** A whole page in a file. */
export interface PageDocument extends StateDocument {
  /** When it was written, microseconds since 1970. */
  written: number;
  documents: TargetDocument[];
}
