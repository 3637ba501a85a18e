import type { Log } from './delivery.ts';
import {
  checkEndpoint,
  checkProtocol,
  type Environment,
  isDisabled,
  milliseconds,
  text,
} from './otlp-environment.ts';

/** Options of the command line that say where to export to. */
export interface EndpointOptions {
  /** `--otlp-endpoint` */
  readonly endpoint?: string | undefined;
  /** `--otlp-logs-endpoint` */
  readonly logsEndpoint?: string | undefined;
}

export interface LogsSettings {
  endpoint: string;
  /** How long records are collected before they are sent. */
  delayMillis: number;
  /** Time that one export may take with all its attempts. */
  timeoutMillis: number;
}

/** Periods of the OpenTelemetry specification. */
const DEFAULT_DELAY_MILLIS = 1000;
const DEFAULT_TIMEOUT_MILLIS = 30_000;

const EXPORTER = 'OTEL_LOGS_EXPORTER';

/**
 * Where spikes are told of: undefined, unless a receiver of logs is named. The general endpoint is not enough, since
 * whoever set it for metrics need not have a receiver of logs there; with OTEL_LOGS_EXPORTER=otlp it is.
 */
export function logsSettings(
  options: EndpointOptions,
  environment: Environment,
  log: Log,
): LogsSettings | undefined {
  const { logsEndpoint } = options;
  const endpoint = logsEndpoint ?? endpointOf(options.endpoint, environment);
  if (endpoint === undefined) {
    return undefined;
  }
  checkEndpoint(endpoint, logsEndpoint === undefined ? undefined : '--otlp-logs-endpoint');
  checkProtocol(environment, 'logs', log);
  return {
    endpoint,
    delayMillis: milliseconds(environment, 'OTEL_BLRP_SCHEDULE_DELAY', DEFAULT_DELAY_MILLIS, log),
    timeoutMillis: milliseconds(environment, 'OTEL_BLRP_EXPORT_TIMEOUT', DEFAULT_TIMEOUT_MILLIS, log),
  };
}

function endpointOf(general: string | undefined, environment: Environment): string | undefined {
  if (isDisabled(environment, EXPORTER)) {
    return undefined;
  }
  const own = text(environment, 'OTEL_EXPORTER_OTLP_LOGS_ENDPOINT');
  if (own !== undefined || text(environment, EXPORTER)?.toLowerCase() !== 'otlp') {
    return own;
  }
  return general ?? text(environment, 'OTEL_EXPORTER_OTLP_ENDPOINT');
}
