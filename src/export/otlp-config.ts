import { isIP } from 'node:net';
import { EXIT, UserError } from '../errors.ts';
import type { Log } from './delivery.ts';
import type { ExemplarFilter } from './exemplar.ts';
import type { HistogramAggregation } from './temporality.ts';

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The export cannot be set up as asked for: wrong usage, with a sentence that says what to change. */
export class OtlpConfigurationError extends UserError {
  constructor(sentence: string) {
    super(sentence, EXIT.usage);
  }
}

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
  checkEndpoint(endpoint, option !== undefined);
  checkProtocol(environment, log);
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
  const disabled = text(environment, 'OTEL_SDK_DISABLED')?.toLowerCase() === 'true';
  const none = text(environment, 'OTEL_METRICS_EXPORTER')?.toLowerCase() === 'none';
  if (disabled || none) {
    return undefined;
  }
  return (
    text(environment, 'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT') ??
    text(environment, 'OTEL_EXPORTER_OTLP_ENDPOINT')
  );
}

function checkEndpoint(endpoint: string, isOption: boolean): void {
  const hasScheme = /^\w{1,8}:\/\//.test(endpoint);
  // In the environment an endpoint without a scheme has a meaning: OTEL_EXPORTER_OTLP_INSECURE decides.
  if (isOption && !hasScheme) {
    throw new OtlpConfigurationError(
      `--otlp-endpoint ${endpoint}: begin with http:// or, for TLS, https://, as in http://127.0.0.1:4317`,
    );
  }
  const url = hasScheme ? endpoint : `https://${endpoint}`;
  const scheme = url.slice(0, url.indexOf(':')).toLowerCase();
  if (!URL.canParse(url) || !['http', 'https', 'unix'].includes(scheme)) {
    throw new OtlpConfigurationError(
      `the OTLP endpoint "${endpoint}" is not a URL like http://127.0.0.1:4317`,
    );
  }
  // grpc-js gives the host as TLS server name, which Node.js 26 refuses for addresses: no connection would ever be made.
  if (scheme === 'https' && hasScheme && isIP(new URL(url).hostname.replace(/^\[|\]$/g, '')) !== 0) {
    throw new OtlpConfigurationError(
      `the OTLP endpoint "${endpoint}" has an IP address; TLS needs a host name, as in https://localhost:4317`,
    );
  }
}

function checkProtocol(environment: Environment, log: Log): void {
  const name = ['OTEL_EXPORTER_OTLP_METRICS_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'].find(
    (variable) => text(environment, variable) !== undefined,
  );
  const protocol = name === undefined ? undefined : text(environment, name);
  if (protocol !== undefined && protocol !== 'grpc') {
    log(
      'warn',
      `${name}=${protocol} is ignored: metrics are sent over gRPC, for which receivers use port 4317.`,
    );
  }
}

function milliseconds(environment: Environment, name: string, otherwise: number, log: Log): number {
  const value = text(environment, name);
  if (value === undefined) {
    return otherwise;
  }
  const number = Number(value);
  // Timers do not wait longer than 2^31 - 1 ms; they fire at once instead.
  if (Number.isFinite(number) && number >= 1 && number < 2 ** 31) {
    return number;
  }
  log('warn', `${name}=${value} is ignored: it must be a number of milliseconds greater than 0.`);
  return otherwise;
}

/** The meaning of a variable that has a fixed set of values. */
function oneOf<T>(
  environment: Environment,
  name: string,
  values: ReadonlyMap<string, T>,
  otherwise: T,
  log: Log,
): T {
  const value = text(environment, name)?.toLowerCase();
  if (value !== undefined && !values.has(value)) {
    log('warn', `${name}=${value} is ignored: it must be one of ${[...values.keys()].join(', ')}.`);
  }
  return values.get(value ?? '') ?? otherwise;
}

/** An empty variable counts as not set, as the specification says. */
function text(environment: Environment, name: string): string | undefined {
  return environment[name]?.trim() || undefined;
}
