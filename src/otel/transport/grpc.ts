import type { CallCredentials, ChannelOptions, Client, Metadata, ServiceError } from '@grpc/grpc-js';
import type { ExportResponse } from '@opentelemetry/otlp-exporter-base';
import type { convertLegacyOtlpGrpcOptions } from '@opentelemetry/otlp-grpc-exporter-base';
import { VERSION } from '../../base/version.ts';
import type { Endpoint, Signal } from '../settings/endpoint.ts';
import { certificatesState } from './certificates.ts';
import { type Diagnosis, diagnose } from './diagnosis.ts';
import { ExportFailure } from './failure.ts';
import { grpcFailure } from './grpc-failure.ts';
import { isLoopback, proxyVariable } from './proxy.ts';
import { newRequest, type Request, type Transport } from './transport.ts';

/** What the variables say: read by OpenTelemetry's own code, certificates at each call of `credentials`. */
export type GrpcConfiguration = ReturnType<typeof convertLegacyOtlpGrpcOptions>;

const PATHS: Readonly<Record<Signal, string>> = {
  metrics: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  logs: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
};

const GZIP = 2;

/** Of grpc-js, in the order in which it looks at them. */
const PROXIES = ['grpc_proxy', 'https_proxy', 'http_proxy'];
const NO_PROXY = process.env.no_grpc_proxy ? ['no_grpc_proxy'] : ['no_proxy'];

interface Connection {
  readonly client: Client;
  readonly metadata: Metadata;
  readonly certificates: string;
  /** Credentials that add nothing, and say when a call goes out. */
  readonly sayWhenSent: (say: () => void) => CallCredentials;
}

/**
 * OTLP over gRPC. OpenTelemetry's own transport knows no options of the channel: it waits up to two minutes before it connects again,
 * takes a connection for sound on which nothing comes back, and reads certificates once.
 */
export class GrpcTransport implements Transport {
  readonly #endpoint: Endpoint;
  readonly #configuration: GrpcConfiguration;
  #connection: Connection | undefined;
  readonly #requests = new Set<Request>();
  #diagnosis: Diagnosis | undefined;

  constructor(endpoint: Endpoint, configuration: GrpcConfiguration) {
    this.#endpoint = endpoint;
    this.#configuration = configuration;
  }

  async send(data: Uint8Array, timeoutMillis: number): Promise<ExportResponse> {
    const request = newRequest();
    this.#requests.add(request);
    try {
      const answer = await this.#request(request, data, timeoutMillis);
      this.#diagnosis = undefined;
      return { status: 'success', data: answer };
    } catch (error) {
      const failure = grpcFailure(error, request.isSent);
      const isWaitedFor = !request.ended.signal.aborted;
      return { status: 'failure', error: isWaitedFor ? await this.#explained(failure) : failure };
    } finally {
      this.#requests.delete(request);
    }
  }

  renew(): void {
    // A channel that is closed lets them go on.
    for (const { ended } of this.#requests) {
      ended.abort();
    }
    this.#disconnect();
  }

  shutdown(): void {
    this.renew();
  }

  #disconnect(): void {
    this.#connection?.client.close();
    this.#connection = undefined;
  }

  async #request(request: Request, data: Uint8Array, timeoutMillis: number): Promise<Uint8Array> {
    const { client, metadata, sayWhenSent } = await this.#connect();
    const { signal } = request.ended;
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const call = client.makeUnaryRequest(
      PATHS[this.#endpoint.signal],
      (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      (bytes: Buffer) => bytes,
      data,
      metadata,
      {
        deadline: Date.now() + timeoutMillis,
        credentials: sayWhenSent(() => {
          request.isSent = true;
        }),
      },
      (error: ServiceError | null, answer?: Buffer) =>
        error === null ? resolve(answer ?? Buffer.alloc(0)) : reject(error),
    );
    const cancel = (): void => call.cancel();
    signal.addEventListener('abort', cancel);
    return promise.finally(() => signal.removeEventListener('abort', cancel));
  }

  async #connect(): Promise<Connection> {
    const certificates = certificatesState(this.#endpoint.signal);
    if (this.#connection !== undefined && this.#connection.certificates !== certificates) {
      this.#disconnect();
    }
    if (this.#connection === undefined) {
      // Only now: it takes memory, and most observations send nothing.
      // All of the package: which names it has besides, the bundle does not know.
      const { Client, Metadata, credentials, setLogVerbosity, logVerbosity } = (await import('@grpc/grpc-js'))
        .default;
      // It writes to stderr what is told in other words.
      setLogVerbosity(logVerbosity.NONE);
      const { address, options } = channelOf(this.#endpoint, this.#configuration);
      this.#connection = {
        client: new Client(address, this.#configuration.credentials(), options),
        metadata: this.#configuration.metadata(),
        certificates,
        // Credentials of a call are asked for when there is a connection for it, right before it goes out.
        sayWhenSent: (say) =>
          credentials.createFromMetadataGenerator((_, answer) => {
            say();
            answer(null, new Metadata());
          }),
      };
    }
    return this.#connection;
  }

  async #explained(failure: ExportFailure): Promise<ExportFailure> {
    if (failure.kind === 'timeout') {
      // A connection may be dead without anybody having said so.
      this.renew();
    }
    if (failure.kind !== 'unreachable' && failure.kind !== 'other') {
      return failure;
    }
    if (this.#diagnosis?.said !== failure.message) {
      this.#diagnosis = await diagnose(this.#endpoint, failure.message);
    }
    return this.#diagnosis.reason === undefined
      ? this.#withProxy(failure)
      : new ExportFailure('misdirected', this.#diagnosis.reason, { retryable: true });
  }

  #withProxy(failure: ExportFailure): ExportFailure {
    const { url } = this.#endpoint;
    const proxy = /^http/i.test(url) && proxyVariable(new URL(url).hostname, PROXIES, NO_PROXY);
    return proxy
      ? new ExportFailure(
          failure.kind,
          `through the proxy of the variable ${proxy}: ${failure.message}`,
          failure,
        )
      : failure;
  }
}

function channelOf(
  endpoint: Endpoint,
  { compression }: GrpcConfiguration,
): { address: string; options: ChannelOptions } {
  const isSocket = /^unix:/i.test(endpoint.url);
  const url = isSocket ? undefined : new URL(endpoint.url);
  return {
    address: url === undefined ? endpoint.url.replace(/^unix:\/\//i, 'unix:') : addressOf(url),
    options: {
      'grpc.primary_user_agent': `mapscope/${VERSION}`,
      ...(compression === 'gzip' && { 'grpc.default_compression_algorithm': GZIP }),
      // When a receiver is back, data is to be back within seconds. The wait is otherwise up to two minutes.
      'grpc.initial_reconnect_backoff_ms': 500,
      'grpc.max_reconnect_backoff_ms': 2000,
      'grpc.dns_min_time_between_resolutions_ms': 1000,
      // A new channel is to be a new connection, with nothing of the old one's wait.
      'grpc.use_local_subchannel_pool': 1,
      // Only while a request is under way, and seldom enough for receivers that count pings.
      'grpc.keepalive_time_ms': 20_000,
      'grpc.keepalive_timeout_ms': 5000,
      ...(url !== undefined && isLoopback(url.hostname) && { 'grpc.enable_http_proxy': 0 }),
    },
  };
}

/** grpc-js would take 443 where no port is named. */
function addressOf({ protocol, hostname, port }: URL): string {
  return `${hostname}:${port || (protocol === 'http:' ? '80' : '443')}`;
}
