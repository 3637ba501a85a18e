import { heaviestGoroutines } from '../../model/heavy/goroutines.ts';
import { estimatedNanoseconds, heaviestSpans } from '../../model/heavy/spans.ts';
import type { LookupCost, ObservationMode, Snapshot } from '../../model/snapshot.ts';
import { type Spike, thresholdText } from '../../model/spike.ts';
import type { Target } from '../../model/target.ts';
import type { CostFacts, NowDocument, SpikeFacts, TargetFacts } from '../format/document.ts';

/** Goroutines, spans and spikes shown at most, of each. */
const MOST_SHOWN = 20;

export function targetFacts(target: Target, mode: ObservationMode): TargetFacts {
  const { pid, exe, image, goVersion, mapImplementation, stripped } = target;
  return { pid, exe, image: image ?? null, goVersion, mapImplementation, stripped, mode };
}

/** What the page shows of a snapshot beside the history. */
export function nowDocument(snapshot: Snapshot): NowDocument {
  const { overhead } = snapshot;
  const sum = (name: 'lookups' | 'estimatedLookups') =>
    snapshot.callSites.reduce((total, site) => total + site[name], 0);
  return {
    time: micros(snapshot.time),
    startTime: micros(snapshot.startTime),
    seconds: snapshot.seconds,
    attachedSeconds: snapshot.attachedSeconds,
    windows: snapshot.windows,
    lookups: sum('lookups'),
    estimatedLookups: sum('estimatedLookups'),
    overhead: {
      budget: overhead.budget,
      share: overhead.targetCpuSeconds ? overhead.costSeconds / overhead.targetCpuSeconds : null,
      costSeconds: overhead.costSeconds,
      targetCpuSeconds: overhead.targetCpuSeconds,
      measured: overhead.measured,
      trapSeconds: overhead.trapSeconds,
      decodeSeconds: overhead.decodeSeconds,
      stops: overhead.stops,
      fullWindows: overhead.fullWindows,
      relativeError: overhead.relativeError,
      underestimate: overhead.underestimate,
    },
    unreadable: snapshot.unreadable,
    dropped: snapshot.dropped,
    inexact: snapshot.inexact,
    leftOut: snapshot.leftOut,
    refused: snapshot.refused.map(({ name, reason }) => ({ name, reason })),
    goroutines: goroutinesOf(snapshot),
    spans: spansOf(snapshot),
    spikes: spikesOf(snapshot),
  };
}

function goroutinesOf({ goroutines }: Snapshot): NowDocument['goroutines'] {
  if (goroutines === undefined) {
    return null;
  }
  const { heaviest, other } = heaviestGoroutines(goroutines, MOST_SHOWN);
  return {
    heaviest: heaviest.map((cost) => ({
      goroutine: cost.goroutine,
      parentGoroutine: cost.parentGoroutine ?? null,
      missingAtMost: cost.missingAtMost,
      ...costFacts(cost),
    })),
    other: costFacts(other),
  };
}

function costFacts({ lookups, hits, probeLength, keyComparisons }: LookupCost): CostFacts {
  return { lookups, hits, probes: probeLength.sum, comparisons: keyComparisons.sum };
}

function spansOf({ spans }: Snapshot): NowDocument['spans'] {
  if (spans === undefined) {
    return null;
  }
  const { heaviest, otherLookups } = heaviestSpans(spans, MOST_SHOWN);
  return {
    heaviest: heaviest.map((span) => ({
      traceId: span.traceId,
      spanId: span.spanId,
      goroutine: span.goroutine,
      lookups: span.lookups,
      hits: span.hits,
      probes: span.probes,
      comparisons: span.keyComparisons,
      nanoseconds: estimatedNanoseconds(span),
    })),
    otherLookups,
  };
}

function spikesOf({ spikes }: Snapshot): NowDocument['spikes'] {
  return spikes === undefined
    ? null
    : {
        threshold: thresholdText(spikes.threshold),
        seen: spikes.seen,
        latest: spikes.latest.slice(0, MOST_SHOWN).map(spikeFacts),
      };
}

function spikeFacts({ callSite, map, ...spike }: Spike): SpikeFacts {
  return {
    time: micros(spike.time),
    function: callSite.function,
    file: callSite.file,
    line: callSite.line,
    type: spike.type,
    hit: spike.hit,
    probeLength: spike.probeLength,
    keyComparisons: spike.keyComparisons,
    traceId: spike.traceId ?? null,
    spanId: spike.spanId ?? null,
    goroutine: spike.goroutine,
    entries: map.entries,
    slots: map.slots,
    usedSlots: map.usedSlots,
    tombstones: map.tombstones,
    overflowBuckets: map.overflowBuckets,
  };
}

function micros(nanoseconds: bigint): number {
  return Number(nanoseconds / 1000n);
}
