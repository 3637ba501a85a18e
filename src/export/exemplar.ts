import { type Attributes, isValidSpanId, isValidTraceId } from '@opentelemetry/api';
import { type ExemplarCandidate, hasTrace, traceRank } from '../model/candidate.ts';
import { EXEMPLAR_ATTRIBUTES } from './metrics.ts';
import { type Exemplar, hrTime } from './points.ts';

/** Which lookups may become exemplars, in the words of OTEL_METRICS_EXEMPLAR_FILTER. */
export type ExemplarFilter = 'trace_based' | 'always_on' | 'always_off';

/**
 * Characters of all keys and values of one exemplar's attributes. Prometheus takes 128 with trace id and span id, whose
 * labels need 63, and drops all attributes of an exemplar that has more.
 */
const MOST_CHARACTERS = 65;

/** `trace_based` is for lookups that lead to a trace: with a span context, unless it is known that the span is not kept. */
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

/** Which of two candidates for one bucket leads to a trace more surely; of equal ones the newer. */
export function isBetter(one: ExemplarCandidate, than: ExemplarCandidate): boolean {
  const difference = traceRank(one) - traceRank(than);
  return difference > 0 || (difference === 0 && one.time >= than.time);
}

/** The exemplar of a point with these attributes. An identifier that is none is left out. */
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

/** Never what the point itself says, and never more than receivers take: then rather without the last ones. */
function filteredAttributes(candidate: ExemplarCandidate, pointAttributes: Attributes): Attributes {
  const attributes: Attributes = {};
  let characters = 0;
  const { goroutine, parentGoroutine } = candidate;
  for (const [{ name }, value] of [
    [EXEMPLAR_ATTRIBUTES.goroutine, goroutine],
    [EXEMPLAR_ATTRIBUTES.parentGoroutine, parentGoroutine],
  ] as const) {
    const length = name.length + String(value).length;
    // 0 is no goroutine's number.
    if (value && !(name in pointAttributes) && characters + length <= MOST_CHARACTERS) {
      attributes[name] = value;
      characters += length;
    }
  }
  return attributes;
}
