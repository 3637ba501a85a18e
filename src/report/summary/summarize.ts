import { deferredAndMatched, totalOf, unaccounted } from '../../model/accounts.ts';
import { mean } from '../../model/buckets.ts';
import type { Distribution } from '../../model/distribution.ts';
import { heaviestGoroutines } from '../../model/heavy/goroutines.ts';
import { type MergedCallSite, mergeHitsAndMisses } from '../../model/merge.ts';
import type {
  GoroutineCosts,
  LookupCost,
  MapState,
  ObservationMode,
  Snapshot,
} from '../../model/snapshot.ts';
import { type Spike, type SpikeTotals, thresholdText } from '../../model/spike.ts';
import type { Target } from '../../model/target.ts';
import {
  SUMMARY_SCHEMA,
  type Summary,
  type SummaryCallSite,
  type SummaryLookupCost,
  type SummarySpikes,
} from './schema.ts';
import { summarizeFollowing, summarizeSpans } from './spans.ts';

/** How many of the heaviest a report shows. */
export interface ReportLimits {
  readonly goroutines?: number;
  readonly spans?: number;
}

/**
 * Builds the summary document from the last snapshot of an observation. It satisfies `summarySchema`. Tests check that, not this
 * function: an odd number must not cost the user the report of a long observation.
 *
 * @param most how many of the heaviest goroutines and spans to show
 */
export function summarize(
  target: Target,
  mode: ObservationMode,
  snapshot: Snapshot,
  { goroutines = 10, spans = 10 }: ReportLimits = {},
): Summary {
  // What is not kept apart stands last, however much it is.
  const callSites = [...mergeHitsAndMisses(snapshot.callSites), ...mergeHitsAndMisses(snapshot.others)];
  return {
    schema: SUMMARY_SCHEMA,
    target: {
      pid: target.pid,
      exe: target.exe,
      ...(target.image !== undefined && { image: target.image }),
      goVersion: target.goVersion,
      mapImplementation: target.mapImplementation,
      stripped: target.stripped,
      exitCode: target.exitCode,
      signal: target.signal,
    },
    mode,
    observed: observedTotals(snapshot, callSites),
    overhead: overheadOf(snapshot),
    functions: snapshot.functions.map(({ name, lookups, estimatedLookups, hits, misses, sites }) => ({
      name,
      lookups,
      estimatedLookups: Math.round(estimatedLookups),
      hits,
      misses,
      sites,
    })),
    refusedFunctions: snapshot.refused.map(({ name, reason }) => ({ name, reason })),
    callSites: callSites.map(summarizeCallSite),
    otherCallSites: snapshot.otherSites,
    fullTables: { ...snapshot.fullTables },
    ...(snapshot.spikes && { spikes: summarizeSpikes(snapshot.spikes) }),
    ...(snapshot.spans && { spans: summarizeSpans(snapshot.spans, spans) }),
    ...(snapshot.following && { following: summarizeFollowing(snapshot.following) }),
    ...(snapshot.goroutines && { goroutines: summarizeGoroutines(snapshot.goroutines, goroutines) }),
  };
}

/**
 * Lookups, hits and misses are sums over the call sites, not the kernel's separate total. The two are read a moment apart, and
 * the numbers of a document should add up.
 */
function observedTotals(snapshot: Snapshot, callSites: readonly MergedCallSite[]): Summary['observed'] {
  const hits = callSites.reduce((sum, callSite) => sum + callSite.hits, 0);
  const misses = callSites.reduce((sum, callSite) => sum + callSite.misses, 0);
  return {
    lookups: hits + misses,
    estimatedLookups: Math.round(callSites.reduce((sum, callSite) => sum + callSite.estimatedLookups, 0)),
    hits,
    misses,
    unreadable: totalOf(snapshot.unreadable),
    dropped: totalOf(snapshot.dropped),
    windows: snapshot.windows,
    attachedSeconds: snapshot.attachedSeconds,
    seconds: snapshot.seconds,
    probeSiteHits: snapshot.hits,
    deferred: snapshot.deferred,
    deferredAndMatched: deferredAndMatched(snapshot),
    empty: snapshot.empty,
    leftOut: snapshot.leftOut,
    notDecoded: snapshot.notDecoded,
    unaccounted: unaccounted(snapshot),
    inexact: totalOf(snapshot.inexact),
    unreadableByReason: snapshot.unreadable,
    droppedByReason: snapshot.dropped,
    inexactByReason: snapshot.inexact,
  };
}

function overheadOf({ overhead, windows, attachedSeconds }: Snapshot): Summary['overhead'] {
  return {
    ...overhead,
    windows,
    attachedSeconds,
    secondsPerHit: overhead.hits === 0 ? 0 : overhead.costSeconds / overhead.hits,
    share: overhead.targetCpuSeconds ? overhead.costSeconds / overhead.targetCpuSeconds : null,
  };
}

function summarizeCallSite(merged: MergedCallSite): SummaryCallSite {
  return {
    function: merged.callSite.function,
    file: merged.callSite.file,
    line: merged.callSite.line,
    variant: merged.variant,
    type: merged.type,
    ...(merged.underlyingType !== undefined && { underlyingType: merged.underlyingType }),
    lookups: merged.lookups,
    estimatedLookups: Math.round(merged.estimatedLookups),
    hits: merged.hits,
    misses: merged.misses,
    probeLength: document(merged.probeLength),
    keyComparisons: document(merged.keyComparisons),
    homePosition: document(merged.homePosition),
    loadFactors: document(merged.loadFactor),
    maps: merged.mapsAtLeast,
    estimatedMaps: merged.estimatedMaps,
    entries: merged.largest.entries,
    buckets: merged.largest.buckets,
    overflowBuckets: merged.largest.overflowBuckets,
    tombstones: merged.largest.tombstones,
    directory: merged.largest.directory,
    latest: withoutTime(merged.latest),
    loadFactor: mean(merged.loadFactor),
    growing: merged.growing,
    inexact: merged.inexact,
  };
}

function summarizeSpikes({ threshold, seen, delivered, suppressed, latest }: SpikeTotals): SummarySpikes {
  return {
    threshold: thresholdText(threshold),
    seen,
    delivered,
    suppressed: totalOf(suppressed),
    suppressedByReason: { ...suppressed },
    latest: latest.map(summarizeSpike),
  };
}

function summarizeSpike({ callSite, hit, time, map, ...rest }: Spike): SummarySpikes['latest'][number] {
  const { function: name, file, line } = callSite;
  return {
    time: isoTime(time),
    function: name,
    file,
    line,
    result: hit ? 'hit' : 'miss',
    ...rest,
    map: { ...map },
  };
}

/** With nanoseconds, as trace backends show them. */
function isoTime(unixNano: bigint): string {
  const seconds = new Date(Number(unixNano / 1_000_000n)).toISOString().slice(0, -'.000Z'.length);
  return `${seconds}.${(unixNano % 1_000_000_000n).toString().padStart(9, '0')}Z`;
}

function summarizeGoroutines(costs: GoroutineCosts, most: number): Summary['goroutines'] {
  const { heaviest, other } = heaviestGoroutines(costs, most);
  return {
    heaviest: heaviest.map(({ goroutine, parentGoroutine, missingAtMost, ...cost }) => ({
      goroutine,
      ...(parentGoroutine !== undefined && { parentGoroutine }),
      ...summarizeCost(cost),
      missingAtMost,
    })),
    other: summarizeCost(other),
    unattributed: { ...costs.unattributed },
  };
}

function summarizeCost({ lookups, hits, probeLength, keyComparisons }: LookupCost): SummaryLookupCost {
  return {
    lookups,
    hits,
    misses: lookups - hits,
    probeLength: document(probeLength),
    keyComparisons: document(keyComparisons),
  };
}

/** A copy: the document must not change when counting goes on. */
function document({ bounds, counts, sum, max }: Distribution): SummaryCallSite['probeLength'] {
  return { bounds: [...bounds], counts: [...counts], sum, max };
}

function withoutTime({ seenAt: _seenAt, ...state }: MapState): SummaryCallSite['latest'] {
  return state;
}
