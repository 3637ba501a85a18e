import { type Attributes, isValidSpanId, isValidTraceId } from '@opentelemetry/api';
import { type ExemplarCandidate, hasTrace, traceRank } from '../../model/candidate.ts';
import { EXEMPLAR_ATTRIBUTES } from '../contract/metrics.ts';
import { type Exemplar, hrTime } from '../metrics/points.ts';

/** Which lookups may become exemplars, in the words of OTEL_METRICS_EXEMPLAR_FILTER. */
export type ExemplarFilter = 'trace_based' | 'always_on' | 'always_off';

/**
 * Most characters in all keys and values of one exemplar's attributes. Prometheus accepts 128, of which the labels for trace id
 * and span id take 63. It drops all attributes of an exemplar with more.
 */
const MOST_CHARACTERS = 65;

/** `trace_based` passes lookups that lead to a trace: they have a span context, and the span is not known to be unsampled. */
export function passes(filter: ExemplarFilter, candidate: ExemplarCandidate): boolean {
  switch (filter) {
    case 'always_on':
      return true;
    case 'always_off':
      return false;
    case 'trace_based':
      return hasTrace(candidate) && candidate.sampled !== false;
  }
}

/** Whether `one` leads to a trace more surely than the other candidate for the bucket. Of equal ones the newer is better. */
export function isBetter(one: ExemplarCandidate, than: ExemplarCandidate): boolean {
  const difference = traceRank(one) - traceRank(than);
  return difference > 0 || (difference === 0 && one.time >= than.time);
}

/** The exemplar for a point with these attributes. Invalid ids are omitted. */
export function exemplarOf(
  candidate: ExemplarCandidate,
  value: number,
  pointAttributes: Attributes,
): Exemplar {
  const { time, traceId, spanId } = candidate;
  return {
    value,
    timestamp: hrTime(time),
    filteredAttributes: filteredAttributes(candidate, pointAttributes),
    ...(traceId !== undefined && isValidTraceId(traceId) && { traceId }),
    ...(spanId !== undefined && isValidSpanId(spanId) && hasTrace(candidate) && { spanId }),
  };
}

/** Attributes that the point does not carry. The last ones are dropped when receivers would refuse so many characters. */
function filteredAttributes(candidate: ExemplarCandidate, pointAttributes: Attributes): Attributes {
  const attributes: Attributes = {};
  let characters = 0;
  const { goroutine, parentGoroutine } = candidate;
  for (const [{ name }, value] of [
    [EXEMPLAR_ATTRIBUTES.goroutine, goroutine],
    [EXEMPLAR_ATTRIBUTES.parentGoroutine, parentGoroutine],
  ] as const) {
    const length = name.length + String(value).length;
    // Go numbers goroutines from 1; 0 means unknown.
    if (value && !(name in pointAttributes) && characters + length <= MOST_CHARACTERS) {
      attributes[name] = value;
      characters += length;
    }
  }
  return attributes;
}
