import { isIP } from 'node:net';
import { getBooleanFromEnv } from '@opentelemetry/core';
import type { Log } from '../../base/log.ts';
import { withoutSecrets } from '../../base/secrets.ts';
import { endpointProblem } from './endpoint-problem.ts';
import { OtlpConfigurationError, oneOf, text } from './environment.ts';

export type Signal = 'metrics' | 'logs';

export type Protocol = 'grpc' | 'http/protobuf';

/** Where to send a signal, and how. */
export interface Endpoint {
  readonly signal: Signal;
  readonly protocol: Protocol;
  /** As it was given, without secrets, for messages. */
  readonly shown: string;
  /** With a scheme; over HTTP with the path of the signal, too. */
  readonly url: string;
}

/** An endpoint as it is written in an option or a variable. */
export interface GivenEndpoint {
  readonly text: string;
  /** The option's or the variable's name. */
  readonly from: string;
  /** Of one signal only: its path is meant as it is. */
  readonly ownPath: boolean;
}

/** The usual port of OTLP over HTTP, as 4317 is over gRPC. */
const HTTP_PORT = '4318';

const PATHS: Readonly<Record<Signal, string>> = { metrics: 'v1/metrics', logs: 'v1/logs' };

const PROTOCOLS: ReadonlyMap<string, Protocol> = new Map([
  ['grpc', 'grpc'],
  ['http/protobuf', 'http/protobuf'],
]);

/** The variables that say something of a signal, the one for this signal first. */
export function variablesOf(signal: Signal, what: string): readonly [string, string] {
  return [`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${what}`, `OTEL_EXPORTER_OTLP_${what}`];
}

/** Where the specification has an exporter send to that was chosen without an endpoint. */
export function defaultEndpoint(signal: Signal): GivenEndpoint {
  const [protocol = 'grpc'] = variablesOf(signal, 'PROTOCOL').flatMap((name) => text(name) ?? []);
  const port = protocol === 'grpc' ? '4317' : HTTP_PORT;
  return { text: `http://localhost:${port}`, from: `OTEL_${signal.toUpperCase()}_EXPORTER`, ownPath: false };
}

/** @throws OtlpConfigurationError with what to change */
export function resolveEndpoint(given: GivenEndpoint, signal: Signal, log: Log): Endpoint {
  const full = given.from.startsWith('--') ? given.text : withScheme(given.text, signal);
  const problem = endpointProblem(full);
  if (problem !== undefined) {
    throw refusal(given, problem);
  }
  const protocol = protocolOf(full, signal, log);
  if (protocol === 'grpc') {
    checkForGrpc(given, full);
    return { signal, protocol, shown: withoutSecrets(given.text), url: full };
  }
  if (/^unix:/i.test(full)) {
    throw refusal(given, 'must be an http:// or https:// URL: only gRPC goes through a socket');
  }
  return { signal, protocol, shown: withoutSecrets(given.text), url: withPath(new URL(full), given, signal) };
}

/** Only variables may leave the scheme out: another variable says which is meant. */
function withScheme(endpoint: string, signal: Signal): string {
  if (/^(?:[a-z][a-z0-9+.-]*:\/\/|unix:)/i.test(endpoint)) {
    return endpoint;
  }
  const [own, general] = variablesOf(signal, 'INSECURE');
  const insecure = getBooleanFromEnv(text(own) === undefined ? general : own);
  return `${insecure ? 'http' : 'https'}://${endpoint}`;
}

/** As the variables say; else the one that is usual on the port, or that has use for a path. */
function protocolOf(endpoint: string, signal: Signal, log: Log): Protocol {
  const name = variablesOf(signal, 'PROTOCOL').find((variable) => text(variable) !== undefined);
  const url = /^unix:/i.test(endpoint) ? undefined : new URL(endpoint);
  const usual =
    url !== undefined && (url.port === HTTP_PORT || url.pathname !== '/') ? 'http/protobuf' : 'grpc';
  if (name === undefined) {
    return usual;
  }
  if (text(name) === 'http/json') {
    log(
      'warn',
      `${name}=http/json: mapscope sends protobuf instead, which the same receivers take on the same port.`,
    );
    return 'http/protobuf';
  }
  return oneOf(name, PROTOCOLS, usual, log);
}

function checkForGrpc(given: GivenEndpoint, url: string): void {
  // grpc-js gives the host as TLS server name, which Node.js 26 refuses for addresses: no connection would ever be made.
  if (/^https:/i.test(url) && isIP(new URL(url).hostname.replace(/^\[|\]$/g, '')) !== 0) {
    throw refusal(
      given,
      'must have a host name instead of an IP address, for TLS over gRPC, as in https://localhost:4317',
    );
  }
}

function withPath(url: URL, { from, ownPath }: GivenEndpoint, signal: Signal): string {
  const path = PATHS[signal];
  const isWhole = ownPath && (url.pathname !== '/' || !from.startsWith('--'));
  if (!isWhole && !url.pathname.endsWith(`/${path}`)) {
    url.pathname = `${url.pathname.replace(/\/$/, '')}/${path}`;
  }
  return url.href;
}

function refusal({ from, text: given }: GivenEndpoint, problem: string): OtlpConfigurationError {
  return new OtlpConfigurationError(`${from} ${problem}, not "${withoutSecrets(given)}".`);
}
