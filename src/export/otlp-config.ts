import type { Log } from './delivery.ts';
import type { ExemplarFilter } from './exemplar.ts';
import {
  checkEndpoint,
  checkProtocol,
  type Environment,
  isDisabled,
  milliseconds,
  oneOf,
  text,
} from './otlp-environment.ts';
import type { HistogramAggregation } from './temporality.ts';

/** What is decided here; headers, compression, certificates and the timeout of a request are the exporter's own to read. */
export interface OtlpSettings {
  /** As given; with a scheme unless it comes from the environment. */
  endpoint: string;
  intervalMillis: number;
  /** Time that one export may take with all its attempts; may be longer than the interval, then exports are skipped. */
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
 * Settings from the option `--otlp-endpoint`, which wins, and the standard OTEL_* variables. Undefined when no endpoint
 * is configured or the variables say that nothing is to be exported.
 */
export function otlpSettings(
  option: string | undefined,
  environment: Environment,
  log: Log,
): OtlpSettings | undefined {
  const endpoint = option ?? endpointOf(environment);
  if (endpoint === undefined) {
    return undefined;
  }
  checkEndpoint(endpoint, option === undefined ? undefined : '--otlp-endpoint');
  checkProtocol(environment, 'metrics', log);
  const intervalMillis = milliseconds(
    environment,
    'OTEL_METRIC_EXPORT_INTERVAL',
    DEFAULT_INTERVAL_MILLIS,
    log,
  );
  const timeoutMillis = milliseconds(environment, 'OTEL_METRIC_EXPORT_TIMEOUT', DEFAULT_TIMEOUT_MILLIS, log);
  const exemplarFilter = oneOf(environment, EXEMPLAR_FILTER, EXEMPLAR_FILTERS, 'trace_based', log);
  const histogramAggregation = oneOf(
    environment,
    HISTOGRAM_AGGREGATION,
    HISTOGRAM_AGGREGATIONS,
    'explicit',
    log,
  );
  return { endpoint, intervalMillis, timeoutMillis, exemplarFilter, histogramAggregation };
}

function endpointOf(environment: Environment): string | undefined {
  if (isDisabled(environment, 'OTEL_METRICS_EXPORTER')) {
    return undefined;
  }
  return (
    text(environment, 'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT') ??
    text(environment, 'OTEL_EXPORTER_OTLP_ENDPOINT')
  );
}
