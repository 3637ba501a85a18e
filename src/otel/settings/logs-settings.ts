import type { Log } from '../../base/log.ts';
import {
  defaultEndpoint,
  type Endpoint,
  type GivenEndpoint,
  resolveEndpoint,
  variablesOf,
} from './endpoint.ts';
import { chosenExporter, milliseconds, text, wholeNumber } from './environment.ts';

/** Options of the command line that say where to export to. */
export interface EndpointOptions {
  /** `--otlp-endpoint` */
  readonly endpoint?: string | undefined;
  /** `--otlp-logs-endpoint` */
  readonly logsEndpoint?: string | undefined;
}

export interface LogsSettings {
  endpoint: Endpoint;
  /** How long records are collected before they are sent. */
  delayMillis: number;
  /** Time that one export may take with all its attempts. */
  timeoutMillis: number;
  /** Records that may wait to be sent. */
  mostWaiting: number;
  /** Records in one request. */
  perRequest: number;
  limits: { attributeCountLimit: number; attributeValueLengthLimit: number };
}

/** Periods of the OpenTelemetry specification. */
const DEFAULT_DELAY_MILLIS = 1000;
const DEFAULT_TIMEOUT_MILLIS = 30_000;

/** Records on the way at a time. Those of one request, some 500 bytes each, are far from the 4 MiB that receivers take. */
const DEFAULT_WAITING = 2048;
const DEFAULT_PER_REQUEST = 512;
const DEFAULT_ATTRIBUTES = 128;

const EXPORTER = 'OTEL_LOGS_EXPORTER';

/**
 * Where spikes go: undefined, unless a receiver of logs is named. The general endpoint is not enough: it may have been set for
 * metrics, without a receiver of logs there. With OTEL_LOGS_EXPORTER=otlp it is.
 */
export function logsSettings(options: EndpointOptions, log: Log): LogsSettings | undefined {
  const { logsEndpoint } = options;
  const given =
    logsEndpoint === undefined
      ? givenEndpoint(options.endpoint, log)
      : { text: logsEndpoint, from: '--otlp-logs-endpoint', ownPath: true };
  if (given === undefined) {
    return undefined;
  }
  const endpoint = resolveEndpoint(given, 'logs', log);
  const mostWaiting = wholeNumber('OTEL_BLRP_MAX_QUEUE_SIZE', 1, DEFAULT_WAITING, log);
  const perRequest = wholeNumber('OTEL_BLRP_MAX_EXPORT_BATCH_SIZE', 1, DEFAULT_PER_REQUEST, log);
  return {
    endpoint,
    delayMillis: milliseconds('OTEL_BLRP_SCHEDULE_DELAY', DEFAULT_DELAY_MILLIS, log),
    timeoutMillis: milliseconds('OTEL_BLRP_EXPORT_TIMEOUT', DEFAULT_TIMEOUT_MILLIS, log),
    mostWaiting,
    perRequest: Math.min(perRequest, mostWaiting),
    limits: {
      attributeCountLimit: limit('ATTRIBUTE_COUNT_LIMIT', DEFAULT_ATTRIBUTES, log),
      attributeValueLengthLimit: limit('ATTRIBUTE_VALUE_LENGTH_LIMIT', Number.POSITIVE_INFINITY, log),
    },
  };
}

function limit(what: string, otherwise: number, log: Log): number {
  const [name] = [`OTEL_LOGRECORD_${what}`, `OTEL_${what}`].filter(
    (variable) => text(variable) !== undefined,
  );
  return name === undefined ? otherwise : wholeNumber(name, 0, otherwise, log);
}

function givenEndpoint(general: string | undefined, log: Log): GivenEndpoint | undefined {
  const exporter = chosenExporter(EXPORTER, log);
  if (exporter === 'none') {
    return undefined;
  }
  const [own, shared] = variablesOf('logs', 'ENDPOINT');
  const ownText = text(own);
  if (ownText !== undefined) {
    return { text: ownText, from: own, ownPath: true };
  }
  if (exporter !== 'otlp') {
    return undefined;
  }
  if (general !== undefined) {
    return { text: general, from: '--otlp-endpoint', ownPath: false };
  }
  const sharedText = text(shared);
  return sharedText === undefined
    ? defaultEndpoint('logs')
    : { text: sharedText, from: shared, ownPath: false };
}
