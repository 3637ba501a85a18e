import {
  type Attributes,
  type Context,
  INVALID_SPANID,
  isValidSpanId,
  type LogRecord,
  ROOT_CONTEXT,
  SeverityNumber,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { countOf, printable } from '../../base/text.ts';
import { hasTrace } from '../../model/candidate.ts';
import type { Spike } from '../../model/spike.ts';
import type { Target } from '../../model/target.ts';
import { attributesOf } from '../contract/attributes.ts';
import { SPIKE_ATTRIBUTES, SPIKE_EVENT } from '../contract/events.ts';
import { hrTime } from '../metrics/points.ts';

type Implementation = Target['mapImplementation'];

/** The log record of a spike. */
export function spikeRecord(spike: Spike, implementation: Implementation): LogRecord {
  return {
    eventName: SPIKE_EVENT.name,
    severityNumber: SeverityNumber.WARN,
    severityText: 'WARN',
    timestamp: hrTime(spike.time),
    body: spikeSentence(spike, implementation),
    attributes: spikeAttributes(spike, implementation),
    context: spanContext(spike),
  };
}

/** What happened, in a sentence: "A lookup of main.Find (store.go:42) in map[string]int visited 9 groups ...". */
export function spikeSentence(
  { callSite, type, hit, probeLength, keyComparisons, map }: Spike,
  implementation: Implementation,
): string {
  const place =
    callSite.line > 0 ? `${callSite.function} (${callSite.file}:${callSite.line})` : callSite.function;
  const visited = countOf(probeLength, implementation === 'swiss' ? 'group' : 'bucket');
  const compared = countOf(keyComparisons, 'key');
  const found = hit ? 'and found its own' : 'and found nothing';
  return printable(
    `A lookup of ${place} in a ${type} of ${countOf(map.entries, 'entry', 'entries')} visited ${visited}, compared ${compared} ${found}.`,
  );
}

function spikeAttributes(spike: Spike, implementation: Implementation): Attributes {
  const { map, goroutine, parentGoroutine, suppressed } = spike;
  const names = SPIKE_ATTRIBUTES;
  return {
    ...attributesOf(spike, ['type', 'result', 'functionName', 'filePath', 'lineNumber']),
    // Go numbers goroutines from 1; 0 means unknown.
    ...(goroutine > 0 && { [names.goroutine.name]: goroutine }),
    ...(parentGoroutine !== undefined && { [names.parentGoroutine.name]: parentGoroutine }),
    [names.probeLength.name]: spike.probeLength,
    [names.probeLengthLimit.name]: spike.probeLengthLimit,
    [names.keyComparisons.name]: spike.keyComparisons,
    [names.keyComparisonsLimit.name]: spike.keyComparisonsLimit,
    ...(suppressed > 0 && { [names.suppressed.name]: suppressed }),
    [names.entries.name]: map.entries,
    [names.buckets.name]: map.buckets,
    [names.homeBucket.name]: map.homeBucket,
    [names.slots.name]: map.slots,
    [names.usedSlots.name]: map.usedSlots,
    ...(implementation === 'classic'
      ? { [names.overflowBuckets.name]: map.overflowBuckets, [names.growing.name]: map.growing }
      : { [names.tombstones.name]: map.tombstones }),
  };
}

/** The context of the span; without one when no trace is known. It is marked as sampled only when that is known. */
function spanContext(spike: Spike): Context {
  const { traceId, spanId, sampled } = spike;
  if (traceId === undefined || !hasTrace(spike)) {
    return ROOT_CONTEXT;
  }
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId: spanId !== undefined && isValidSpanId(spanId) ? spanId : INVALID_SPANID,
    traceFlags: sampled === true ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
  });
}
