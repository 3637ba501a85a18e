import type { Log } from '../../base/log.ts';
import type { ExemplarFilter } from '../exemplars/exemplar.ts';
import type { HistogramAggregation } from '../metrics/temporality.ts';
import {
  defaultEndpoint,
  type Endpoint,
  type GivenEndpoint,
  resolveEndpoint,
  variablesOf,
} from './endpoint.ts';
import { chosenExporter, milliseconds, oneOf, text } from './environment.ts';

/** What mapscope decides. The exporter itself reads headers, compression, certificates and the timeout of a request. */
export interface OtlpSettings {
  endpoint: Endpoint;
  intervalMillis: number;
  /** Most time for one export with all its attempts. If it is longer than the interval, exports may be skipped. */
  timeoutMillis: number;
  exemplarFilter: ExemplarFilter;
  histogramAggregation: HistogramAggregation;
}

/** Periods of the OpenTelemetry specification. */
const DEFAULT_INTERVAL_MILLIS = 60_000;
const DEFAULT_TIMEOUT_MILLIS = 30_000;

const EXEMPLAR_FILTER = 'OTEL_METRICS_EXEMPLAR_FILTER';
const EXEMPLAR_FILTERS: ReadonlyMap<string, ExemplarFilter> = new Map([
  ['trace_based', 'trace_based'],
  ['always_on', 'always_on'],
  ['always_off', 'always_off'],
]);

const HISTOGRAM_AGGREGATION = 'OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION';
const HISTOGRAM_AGGREGATIONS: ReadonlyMap<string, HistogramAggregation> = new Map([
  ['explicit_bucket_histogram', 'explicit'],
  ['base2_exponential_bucket_histogram', 'exponential'],
]);

/**
 * Settings from the option `--otlp-endpoint`, which wins, and the standard OTEL_* variables. Undefined if there is no endpoint
 * or the variables turn the export off.
 */
export function otlpSettings(option: string | undefined, log: Log): OtlpSettings | undefined {
  const given =
    option === undefined ? givenEndpoint(log) : { text: option, from: '--otlp-endpoint', ownPath: false };
  if (given === undefined) {
    return undefined;
  }
  const endpoint = resolveEndpoint(given, 'metrics', log);
  const intervalMillis = milliseconds('OTEL_METRIC_EXPORT_INTERVAL', DEFAULT_INTERVAL_MILLIS, log);
  const timeoutMillis = milliseconds('OTEL_METRIC_EXPORT_TIMEOUT', DEFAULT_TIMEOUT_MILLIS, log);
  const exemplarFilter = oneOf(EXEMPLAR_FILTER, EXEMPLAR_FILTERS, 'trace_based', log);
  const histogramAggregation = oneOf(HISTOGRAM_AGGREGATION, HISTOGRAM_AGGREGATIONS, 'explicit', log);
  return { endpoint, intervalMillis, timeoutMillis, exemplarFilter, histogramAggregation };
}

function givenEndpoint(log: Log): GivenEndpoint | undefined {
  const exporter = chosenExporter('OTEL_METRICS_EXPORTER', log);
  if (exporter === 'none') {
    return undefined;
  }
  const names = variablesOf('metrics', 'ENDPOINT');
  for (const [index, name] of names.entries()) {
    const value = text(name);
    if (value !== undefined) {
      return { text: value, from: name, ownPath: index === 0 };
    }
  }
  return exporter === 'otlp' ? defaultEndpoint('metrics') : undefined;
}
