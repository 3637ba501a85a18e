import http from 'node:http';
import https from 'node:https';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ExportResponse } from '@opentelemetry/otlp-exporter-base';
import type { convertLegacyHttpOptions } from '@opentelemetry/otlp-exporter-base/node-http';
import { VERSION } from '../../base/version.ts';
import type { Endpoint } from '../settings/endpoint.ts';
import { certificatesState } from './certificates.ts';
import { type Diagnosis, diagnose } from './diagnosis.ts';
import { ExportFailure } from './failure.ts';
import { type HttpAnswer, httpFailure, requestFailure } from './http-failure.ts';
import { isLoopback, proxyVariable } from './proxy.ts';
import { newRequest, type Request, type Transport } from './transport.ts';

/** What the variables say: read by OpenTelemetry's own code, with the certificates as they are at that moment. */
export type HttpConfiguration = ReturnType<typeof convertLegacyHttpOptions>;

/** More of an answer is not read. */
const MOST_ANSWER_BYTES = 4 * 1024 * 1024;

const NO_PROXY = ['no_proxy', 'NO_PROXY'];

const COMPRESS = promisify(gzip);

/**
 * OTLP over HTTP, protobuf. OpenTelemetry's own transport tries again by itself, which nothing can cut short at the end, forgets
 * the status of what it gives up, and reads certificates once.
 */
export class HttpTransport implements Transport {
  readonly #endpoint: Endpoint;
  readonly #configure: () => HttpConfiguration;
  #connection: { agent: http.Agent; certificates: string; configuration: HttpConfiguration } | undefined;
  readonly #requests = new Set<Request>();
  #diagnosis: Diagnosis | undefined;

  constructor(endpoint: Endpoint, configure: () => HttpConfiguration) {
    this.#endpoint = endpoint;
    this.#configure = configure;
  }

  async send(data: Uint8Array, timeoutMillis: number): Promise<ExportResponse> {
    const request = newRequest();
    this.#requests.add(request);
    try {
      const answer = await this.#request(request, data, timeoutMillis);
      const failure = httpFailure(answer);
      if (failure !== undefined) {
        return { status: 'failure', error: await this.#explained(failure) };
      }
      this.#diagnosis = undefined;
      return { status: 'success', data: answer.body };
    } catch (error) {
      const failure = requestFailure(error, request.isSent);
      const isWaitedFor = !request.ended.signal.aborted;
      return { status: 'failure', error: isWaitedFor ? await this.#explained(failure) : failure };
    } finally {
      this.#requests.delete(request);
    }
  }

  renew(): void {
    for (const { ended } of this.#requests) {
      ended.abort();
    }
    this.#disconnect();
  }

  shutdown(): void {
    this.renew();
  }

  #disconnect(): void {
    this.#connection?.agent.destroy();
    this.#connection = undefined;
  }

  async #request(sending: Request, data: Uint8Array, timeoutMillis: number): Promise<HttpAnswer> {
    const { agent, configuration } = await this.#connect();
    const isCompressed = configuration.compression === 'gzip';
    const body = isCompressed ? await COMPRESS(data) : data;
    const { signal } = sending.ended;
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
    const url = new URL(this.#endpoint.url);
    const request = (url.protocol === 'https:' ? https : http).request(
      url,
      {
        method: 'POST',
        agent,
        signal: AbortSignal.any([AbortSignal.timeout(timeoutMillis), signal]),
        headers: {
          ...(await configuration.headers()),
          'User-Agent': `mapscope/${VERSION}`,
          'Content-Length': body.length,
          ...(isCompressed && { 'Content-Encoding': 'gzip' }),
        },
      },
      resolve,
    );
    const noteSent = (): void => {
      sending.isSent = true;
    };
    request.on('socket', (socket) =>
      socket.connecting
        ? socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', noteSent)
        : noteSent(),
    );
    request.on('error', reject);
    request.end(body);
    const response = await promise;
    return {
      status: response.statusCode ?? 0,
      text: response.statusMessage ?? '',
      headers: response.headers,
      body: await bodyOf(response),
    };
  }

  async #connect(): Promise<{ agent: http.Agent; configuration: HttpConfiguration }> {
    const certificates = certificatesState(this.#endpoint.signal);
    if (this.#connection !== undefined && this.#connection.certificates !== certificates) {
      this.#disconnect();
    }
    if (this.#connection === undefined) {
      const configuration = this.#configure();
      const agent = await agentOf(new URL(this.#endpoint.url), configuration);
      this.#connection = { agent, certificates, configuration };
    }
    return this.#connection;
  }

  async #explained(failure: ExportFailure): Promise<ExportFailure> {
    if (failure.kind !== 'unreachable' && failure.kind !== 'other') {
      return failure;
    }
    if (this.#diagnosis?.said !== failure.message) {
      this.#diagnosis = await diagnose(this.#endpoint, failure.message);
    }
    if (this.#diagnosis.reason !== undefined) {
      return new ExportFailure('misdirected', this.#diagnosis.reason, { retryable: true });
    }
    const { protocol, hostname } = new URL(this.#endpoint.url);
    const names = protocol === 'https:' ? ['https_proxy', 'HTTPS_PROXY'] : ['http_proxy', 'HTTP_PROXY'];
    const proxy = proxyVariable(hostname, names, NO_PROXY);
    return proxy === undefined
      ? failure
      : new ExportFailure(
          failure.kind,
          `through the proxy of the variable ${proxy}: ${failure.message}`,
          failure,
        );
  }
}

/**
 * With the certificates that OpenTelemetry's agent would have, and proxies as the variables name them. Each request has a connection of
 * its own: one that has been idle may be closed by the receiver in the moment in which it is used again, and then nobody knows whether
 * the request has arrived.
 */
async function agentOf(
  { protocol, hostname }: URL,
  { agentFactory }: HttpConfiguration,
): Promise<http.Agent> {
  const { ca, cert, key } = ((await agentFactory(protocol)) as https.Agent).options;
  const common = { keepAlive: false, ...(!isLoopback(hostname) && { proxyEnv: process.env }) };
  return protocol === 'https:' ? new https.Agent({ ...common, ca, cert, key }) : new http.Agent(common);
}

async function bodyOf(response: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_ANSWER_BYTES) {
      response.destroy();
      break;
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
