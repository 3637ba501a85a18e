import type { Distribution } from './distribution.ts';
import type { Following } from './following.ts';
import type { FullTables } from './full-tables.ts';
import type { SpanCosts } from './heavy/spans.ts';
import type { SourcePosition } from './position.ts';
import type { SpikeTotals } from './spike.ts';

/**
 * What was observed, as plain data: the one shape between the windows that collect it and everything that hands it out
 * (OTLP, JSON, table). All counts are sampled counts as the kernel counted them, exact up to 2^53, never scaled.
 */

/** The state of a map that one call site looked into, at the moment of that lookup. */
export interface MapState {
  /** When that was, in ticks of the kernel: for comparing. 0: there was none. */
  seenAt: number;
  /** Keys stored. */
  entries: number;
  /** Classic: buckets without overflow buckets. Swiss: groups of the table visited. */
  buckets: number;
  /** Classic only, else 0. */
  overflowBuckets: number;
  /** Swiss only (of the table visited), else 0. */
  tombstones: number;
  /** Swiss only: places for tables in its directory; 0 of a map of one group. */
  directory: number;
}

/** Of no map. */
export const NO_MAP: MapState = {
  seenAt: 0,
  entries: 0,
  buckets: 0,
  overflowBuckets: 0,
  tombstones: 0,
  directory: 0,
};

/** Everything seen for one combination of call site, lookup function, map type, and hit or miss. */
export interface CallSiteStats {
  callSite: SourcePosition;
  /** The lookup function without its package, e.g. `mapaccess2_faststr`. */
  variant: string;
  /** The map's type as Go prints it, e.g. `map[string]int`. */
  type: string;
  /** What a declared type is of: `map[string]*ast.Symbol` of `ast.SymbolTable`; absent for others. */
  underlyingType?: string;
  hit: boolean;
  /** Lookups counted; equals the sum of each distribution's counts. */
  lookups: number;
  /** Lookups made, estimated from those counted in windows. */
  estimatedLookups: number;
  /** Buckets (classic) or groups (Swiss) visited, >= 1. */
  probeLength: Distribution;
  /** Full key compares made. */
  keyComparisons: Distribution;
  /** Home bucket divided by the number of buckets, in [0, 1). */
  homePosition: Distribution;
  /** Entries divided by slots at the time of the lookup. */
  loadFactor: Distribution;
  /** Lookups made while the map was moving its entries (classic). */
  growing: number;
  /** Lookups whose result or comparison count is not certain. */
  inexact: number;
  /** Of the largest map since the start; as it was at the latest lookup when it was that large. */
  largest: MapState;
  /** Of the largest map since the snapshot before; NO_MAP when there was no lookup. */
  largestOfCycle: MapState;
  /** Of the map that was looked into last. */
  latest: MapState;
  /** Distinct maps seen: the number of the sketch's registers in use, a lower bound. */
  mapsAtLeast: number;
  /** Distinct maps, estimated from the sketch; null: too many for it. */
  estimatedMaps: number | null;
  /** The sketch behind these two numbers (see sketch.ts); with it, merged call sites do not count a map twice. */
  mapsSketch?: Uint8Array;
  /**
   * From when on its lookups are counted under this name, Unix nanoseconds; absent: from the beginning. What came before, of a call
   * site that became busy late, is in `others`.
   */
  since?: bigint;
}

/** What some lookups cost together. */
export interface LookupCost {
  /** Equals the sum of each distribution's counts. */
  lookups: number;
  hits: number;
  /** Buckets (classic) or groups (Swiss) visited, >= 1. */
  probeLength: Distribution;
  /** Full key compares made. */
  keyComparisons: Distribution;
}

/** What the lookups of one goroutine cost. Such an object is never changed: a later state is another object. */
export interface GoroutineCost extends LookupCost {
  /** Go numbers goroutines from 1, and never gives a number twice. */
  goroutine: number;
  /** The goroutine that started it; absent before Go 1.21 and for the first one. */
  parentGoroutine?: number;
  /**
   * Lookups of this goroutine that may have been counted in `other` before it was heavy enough to be kept, at
   * most; 0: its numbers are exact.
   */
  missingAtMost: number;
}

/** All recorded lookups by the goroutine that made them: `kept` and `other` together are the whole. */
export interface GoroutineCosts {
  /** The goroutines that are kept, a bounded number, in no particular order. */
  kept: readonly GoroutineCost[];
  /** Lookups of all other goroutines, and those that could not be counted for one. */
  other: LookupCost;
  /** Lookups in `other` that could not be counted for a goroutine, by reason (`no_room`, `no_goroutine`). */
  unattributed: Readonly<Record<string, number>>;
}

/** Totals of one lookup function of the target. */
export interface FunctionStats {
  /** Without the package, e.g. `mapaccess1_fast64`. */
  name: string;
  lookups: number;
  /** Lookups made, estimated from those counted in windows. */
  estimatedLookups: number;
  hits: number;
  misses: number;
  /** Probe sites planned for it. */
  sites: number;
}

/** What observation has cost the target, from its start on. */
export interface Overhead {
  /** Share of the target's CPU time that windows may cost; null in `all` mode, which has no limit. */
  budget: number | null;
  /** What a hit costs was measured, on this machine and this target; else it is assumed. */
  measured: boolean;
  /** What each hit costs, in CPU seconds, and what decoding it adds: as measured, without the margin. */
  trapSeconds: number;
  decodeSeconds: number;
  /** What is added to these for `costSeconds`, as a share of them, for what they do to what follows a hit. */
  margin: number;
  /** Hits of probe sites, whatever became of them, and those that were decoded. */
  hits: number;
  decodedHits: number;
  /** Hits of other probes than those in lookup functions. */
  otherHits: number;
  /** What all of that has cost, estimated, in CPU seconds, the margin included. Never falls. */
  costSeconds: number;
  /** CPU time that the target has used meanwhile, that cost included; null: not known. */
  targetCpuSeconds: number | null;
  /** Windows that ended early, at their hit limit. */
  fullWindows: number;
  /** How often observation had to stop because the budget could not be kept. */
  stops: number;
  /** Standard error of the sum of all estimated lookups, as a share of it; null: not known yet. */
  relativeError: number | null;
  /**
   * By how much that sum may be too low besides, as a share of the truth, because windows slow the target down: all of it where a
   * program does nothing but lookups, nothing where it waits for requests. Null: not known yet.
   */
  underestimate: number | null;
}

/** A lookup function that is not observed, and why, in words. */
export interface RefusedFunction {
  name: string;
  reason: string;
}

/**
 * The state of an observation at one moment. All numbers count up from `startTime` and are never reset; a new
 * `startTime` says that counting started over (re-attached, or another process).
 */
export interface Snapshot {
  /** When the numbers were read, Unix nanoseconds. */
  time: bigint;
  /** When counting began, Unix nanoseconds. */
  startTime: bigint;
  /** The call sites and map types that are kept apart: the busiest ones. */
  callSites: CallSiteStats[];
  /** Lookups of all others, hits and misses, under OTHERS for their names. */
  others: CallSiteStats[];
  /** Call sites and map types that are in `others` only, as far as the kernel knows them apart. */
  otherSites: number;
  /** What there was no room for, by the table that was full; only tables that are in use. */
  fullTables: FullTables;
  /** Hits of probe sites, whatever became of them. */
  hits: number;
  /** Hits that became a counted lookup. */
  observed: number;
  /** Hits of a site whose lookup goes on to a later site, which records it. */
  deferred: number;
  /** Hits of later sites by lookups that had been deferred. They have an outcome of their own, too. */
  resumed: number;
  /** Hits in maps that were emptied between the function's own check and the site; no lookups by definition. */
  empty: number;
  /** Lookups of functions that are left out of all other numbers, because verifying found them wrong. */
  leftOut: number;
  /** Hits whose lookup could not be decoded, by what could not be read (`stack`, `type`, `map`, ...). */
  unreadable: Record<string, number>;
  /** Decoded lookups that were not recorded, by reason (`table_full`, `chain_too_long`, ...). */
  dropped: Record<string, number>;
  /** Recorded lookups that are not certain, by reason (`dynamic_type`, `long_key`, ...). */
  inexact: Record<string, number>;
  /** Hits while no window was open: breakpoints are put in and taken out one by one, which takes its time. */
  notDecoded: number;
  /** Windows opened so far. */
  windows: number;
  /** Seconds during which lookups were decoded: all sites were attached, and a window was open. */
  attachedSeconds: number;
  /** Seconds from the start of the observation. */
  seconds: number;
  overhead: Overhead;
  functions: FunctionStats[];
  refused: RefusedFunction[];
  /** Absent when nothing is a spike. */
  spikes?: SpikeTotals;
  /** The same lookups by goroutine; absent when they are not counted so. */
  goroutines?: GoroutineCosts;
  /** What each followed span's lookups cost; absent when that is not counted. */
  spans?: SpanCosts;
  /** How spans are followed; absent when they are not. */
  following?: Following;
}

/** What of a snapshot can be told at any moment, for next to nothing. */
export type ObservationProgress = Pick<
  Snapshot,
  'seconds' | 'observed' | 'windows' | 'attachedSeconds' | 'unreadable' | 'dropped'
>;

/** How windows are chosen: probe sites always attached, or for short windows that keep to the budget. */
export type ObservationMode = 'all' | 'windows';
