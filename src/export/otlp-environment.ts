import { isIP } from 'node:net';
import { EXIT, UserError } from '../errors.ts';
import type { Log } from './delivery.ts';

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The export cannot be set up as asked for: wrong usage, with a sentence that says what to change. */
export class OtlpConfigurationError extends UserError {
  constructor(sentence: string) {
    super(sentence, EXIT.usage);
  }
}

/** Whether the environment says that nothing of a signal is to be exported: `exporter` is its OTEL_*_EXPORTER. */
export function isDisabled(environment: Environment, exporter: string): boolean {
  const disabled = text(environment, 'OTEL_SDK_DISABLED')?.toLowerCase() === 'true';
  return disabled || text(environment, exporter)?.toLowerCase() === 'none';
}

/** @param option the option it was given with, unless it comes from the environment */
export function checkEndpoint(endpoint: string, option: string | undefined): void {
  const hasScheme = /^\w{1,8}:\/\//.test(endpoint);
  // In the environment an endpoint without a scheme has a meaning: OTEL_EXPORTER_OTLP_INSECURE decides.
  if (option !== undefined && !hasScheme) {
    throw new OtlpConfigurationError(
      `${option} ${endpoint}: begin with http:// or, for TLS, https://, as in http://127.0.0.1:4317`,
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

/** There is only one protocol; says so when another is asked for. */
export function checkProtocol(environment: Environment, signal: 'metrics' | 'logs', log: Log): void {
  const names = [`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_PROTOCOL`, 'OTEL_EXPORTER_OTLP_PROTOCOL'];
  const name = names.find((variable) => text(environment, variable) !== undefined);
  const protocol = name === undefined ? undefined : text(environment, name);
  if (protocol !== undefined && protocol !== 'grpc') {
    log(
      'warn',
      `${name}=${protocol} is ignored: ${signal} are sent over gRPC, for which receivers use port 4317.`,
    );
  }
}

/** A period in milliseconds. */
export function milliseconds(environment: Environment, name: string, otherwise: number, log: Log): number {
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
export function oneOf<T>(
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
export function text(environment: Environment, name: string): string | undefined {
  return environment[name]?.trim() || undefined;
}
