import { fileURLToPath } from 'node:url';
import {
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type StatusObject,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { ExportRequestMessage } from './receiver-messages.ts';
import { type ReceivedSummary, ReceiverSummary } from './receiver-summary.ts';

/** An error to answer with, or undefined to take the request. */
export type Refusal = Partial<StatusObject> | undefined;

export interface ReceiverOptions {
  /** Called with each request before it is answered. */
  onRequest?: (request: ExportRequestMessage, headers: Readonly<Record<string, unknown>>) => void;
  /** Gives the error to answer with instead of taking the request, now or later; `number` counts requests from 1. */
  refuse?: (number: number) => Refusal | Promise<Refusal>;
  /** 0, the default, takes a free port. */
  port?: number;
  /** Without them the connection is not encrypted. */
  credentials?: ServerCredentials;
}

/** A running receiver. */
export interface Receiver {
  /** For `--otlp-endpoint`, e.g. http://127.0.0.1:4317. */
  readonly endpoint: string;
  readonly port: number;
  /** What has been received so far. */
  summary(): ReceivedSummary;
  /** Resolves when the condition holds; it is looked at now and after each request that was taken. */
  until(condition: (summary: ReceivedSummary) => boolean): Promise<ReceivedSummary>;
  close(): Promise<void>;
}

const PROTO = fileURLToPath(new URL('./otlp-metrics.proto', import.meta.url));
const SERVICE = 'opentelemetry.proto.collector.metrics.v1.MetricsService';

/** Starts an OTLP/gRPC metrics receiver on the loopback interface: enough to show and to test what is exported. */
export async function startReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const received = new ReceiverSummary();
  const waiting = new Set<() => void>();
  let requests = 0;
  const take = async (request: ExportRequestMessage): Promise<Refusal> => {
    const refusal = await options.refuse?.(++requests);
    if (refusal === undefined) {
      received.add(request);
    }
    return refusal;
  };
  const exportMetrics: UntypedHandleCall = (
    call: { request: ExportRequestMessage; metadata: { getMap(): Record<string, unknown> } },
    answer: (error: Partial<StatusObject> | null, response?: object) => void,
  ) => {
    options.onRequest?.(call.request, call.metadata.getMap());
    void take(call.request).then((refusal) => {
      answer(refusal ?? null, {});
      for (const look of [...waiting]) {
        look();
      }
    });
  };

  const server = new Server();
  server.addService(serviceDefinition(), { Export: exportMetrics });
  const port = await bind(
    server,
    options.port ?? 0,
    options.credentials ?? ServerCredentials.createInsecure(),
  );
  return {
    endpoint: `${options.credentials === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    summary: () => received.summary(),
    until: (condition) => {
      const { promise, resolve, reject } = Promise.withResolvers<ReceivedSummary>();
      const look = (): void => {
        try {
          const summary = received.summary();
          if (condition(summary)) {
            waiting.delete(look);
            resolve(summary);
          }
        } catch (error) {
          waiting.delete(look);
          reject(error);
        }
      };
      waiting.add(look);
      look();
      return promise;
    },
    close: () => close(server),
  };
}

function serviceDefinition(): ServiceDefinition {
  const definition = loadSync(PROTO, { longs: Number, enums: String, defaults: true, oneofs: true })[SERVICE];
  if (definition === undefined || 'format' in definition) {
    throw new Error(`${PROTO} does not define ${SERVICE}`);
  }
  return definition as ServiceDefinition;
}

function bind(server: Server, port: number, credentials: ServerCredentials): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync(`127.0.0.1:${port}`, credentials, (error, bound) =>
    error === null ? resolve(bound) : reject(error),
  );
  return promise;
}

/** Exporters keep their connection open and idle: it is cut, not waited for. */
function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.tryShutdown(() => resolve());
  server.forceShutdown();
  return promise;
}
