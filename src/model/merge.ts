import { mergeDistributions } from './buckets.ts';
import type { SourcePosition } from './position.ts';
import { estimateDistinct, mapsAtLeast, uniteSketches } from './sketch.ts';
import type { CallSiteStats, MapState } from './snapshot.ts';

/** The part of the statistics that is left when hits and misses, variants or types are added up. */
export type LookupStats = Omit<
  CallSiteStats,
  'callSite' | 'variant' | 'type' | 'underlyingType' | 'hit' | 'since'
>;

/** Hits and misses of one call site, lookup function and map type, together. */
export interface MergedCallSite extends LookupStats {
  callSite: SourcePosition;
  variant: string;
  type: string;
  underlyingType?: string;
  hits: number;
  misses: number;
}

/** The sum of both: counts and distributions add up, the largest map is the larger one. */
export function mergeLookupStats(a: LookupStats, b: LookupStats): LookupStats {
  return {
    lookups: a.lookups + b.lookups,
    estimatedLookups: a.estimatedLookups + b.estimatedLookups,
    probeLength: mergeDistributions(a.probeLength, b.probeLength),
    keyComparisons: mergeDistributions(a.keyComparisons, b.keyComparisons),
    homePosition: mergeDistributions(a.homePosition, b.homePosition),
    loadFactor: mergeDistributions(a.loadFactor, b.loadFactor),
    growing: a.growing + b.growing,
    inexact: a.inexact + b.inexact,
    largest: largerMap(a.largest, b.largest),
    largestOfCycle: largerMap(a.largestOfCycle, b.largestOfCycle),
    latest: laterMap(a.latest, b.latest),
    ...mergeMapCounts(a, b),
  };
}

/** The larger one; of two that are as large, the one seen later. */
export function largerMap(a: MapState, b: MapState): MapState {
  return b.entries > a.entries || (b.entries === a.entries && b.seenAt > a.seenAt) ? b : a;
}

/** The one seen later. */
export function laterMap(a: MapState, b: MapState): MapState {
  return b.seenAt > a.seenAt ? b : a;
}

/** Merges hits and misses; the busiest call sites first, ties in the order of their source positions. */
export function mergeHitsAndMisses(callSites: readonly CallSiteStats[]): MergedCallSite[] {
  const merged = groupAndMerge(callSites, (stats) => {
    const { function: name, file, line } = stats.callSite;
    return JSON.stringify([name, file, line, stats.variant, stats.type, stats.underlyingType]);
  });
  return merged
    .map(({ stats, members }) => {
      const { callSite, variant, type, underlyingType } = members[0];
      const hits = members.reduce((sum, member) => sum + (member.hit ? member.lookups : 0), 0);
      const named = underlyingType === undefined ? { type } : { type, underlyingType };
      return { ...stats, callSite, variant, ...named, hits, misses: stats.lookups - hits };
    })
    .sort((a, b) => b.lookups - a.lookups || comparePositions(a, b));
}

/** One group of call sites with what they add up to; `members` is never empty. */
export interface MergedGroup {
  key: string;
  stats: LookupStats;
  members: [CallSiteStats, ...CallSiteStats[]];
}

/** Merges the call sites that `keyOf` gives the same key, in the order in which the keys first appear. */
export function groupAndMerge(
  callSites: readonly CallSiteStats[],
  keyOf: (stats: CallSiteStats) => string,
): MergedGroup[] {
  const groups = new Map<string, MergedGroup>();
  for (const callSite of callSites) {
    const key = keyOf(callSite);
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, { key, stats: statsOf(callSite), members: [callSite] });
    } else {
      group.stats = mergeLookupStats(group.stats, callSite);
      group.members.push(callSite);
    }
  }
  return [...groups.values()];
}

function statsOf(callSite: CallSiteStats): LookupStats {
  const {
    callSite: _position,
    variant: _variant,
    type: _type,
    underlyingType: _underlying,
    hit: _hit,
    since: _since,
    ...stats
  } = callSite;
  return stats;
}

/** Both sides may have seen the same maps: without sketches only the larger number is certain. */
function mergeMapCounts(
  a: LookupStats,
  b: LookupStats,
): Pick<LookupStats, 'mapsAtLeast' | 'estimatedMaps' | 'mapsSketch'> {
  if (a.mapsSketch === undefined || b.mapsSketch === undefined) {
    return {
      mapsAtLeast: Math.max(a.mapsAtLeast, b.mapsAtLeast),
      estimatedMaps:
        a.estimatedMaps === null || b.estimatedMaps === null
          ? null
          : Math.max(a.estimatedMaps, b.estimatedMaps),
    };
  }
  const mapsSketch = uniteSketches(a.mapsSketch, b.mapsSketch);
  return { mapsAtLeast: mapsAtLeast(mapsSketch), estimatedMaps: estimateDistinct(mapsSketch), mapsSketch };
}

function comparePositions(a: MergedCallSite, b: MergedCallSite): number {
  return (
    compareText(a.callSite.file, b.callSite.file) ||
    a.callSite.line - b.callSite.line ||
    compareText(a.callSite.function, b.callSite.function) ||
    compareText(a.variant, b.variant) ||
    compareText(a.type, b.type)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
