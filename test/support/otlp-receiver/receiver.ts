import { Server, ServerCredentials, type StatusObject, type UntypedHandleCall } from '@grpc/grpc-js';
import type { ExportRequestMessage } from './messages.ts';
import { Received } from './received.ts';
import { metricsService } from './service.ts';
import type { ReceivedSummary, ReceiverSummary } from './summary.ts';

/** An error to answer with, or undefined to take the request. */
export type Refusal = Partial<StatusObject> | undefined;

export interface ReceiverOptions {
  /** Called with each request before it is answered. */
  onRequest?: (request: ExportRequestMessage, headers: Readonly<Record<string, unknown>>) => void;
  /** Gives the error to answer with instead of taking the request, now or later; `number` counts requests from 1. */
  refuse?: (number: number) => Refusal | Promise<Refusal>;
  /** Called when it has taken a request, before it answers. */
  taken?: (request: ExportRequestMessage) => void | Promise<void>;
  /** What it says of a request that it takes. */
  answer?: () => { partialSuccess?: { rejectedDataPoints?: number; errorMessage?: string } };
  /** Bytes of a request that it takes (4 MiB). */
  mostBytes?: number;
  /** Where to note what is received; of several receivers one after the other it may be the same. */
  summary?: ReceiverSummary;
  /** Path of a socket to listen on instead of a port; gRPC only. */
  socket?: string;
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
  /** Rejects when something was received that no sender may send, see invariants.ts. */
  close(): Promise<void>;
}

/** Starts an OTLP/gRPC metrics receiver on the loopback interface: enough to show and to test what is exported. */
export async function startReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const received = new Received(options);
  const exportMetrics: UntypedHandleCall = (
    call: { request: ExportRequestMessage; metadata: { getMap(): Record<string, unknown> } },
    answer: (error: Partial<StatusObject> | null, response?: object) => void,
  ) => {
    void received.take(call.request, call.metadata.getMap()).then((refusal) => {
      answer(refusal ?? null, options.answer?.() ?? {});
      received.look();
    });
  };
  const server = new Server({
    ...(options.mostBytes !== undefined && { 'grpc.max_receive_message_length': options.mostBytes }),
  });
  server.addService(metricsService(), { Export: exportMetrics });
  const port = await bind(
    server,
    options.socket === undefined ? `127.0.0.1:${options.port ?? 0}` : `unix:${options.socket}`,
    options.credentials ?? ServerCredentials.createInsecure(),
  );
  return {
    endpoint: `${options.credentials === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    summary: () => received.summary(),
    until: (condition) => received.until(condition),
    close: async () => {
      await close(server);
      received.check();
    },
  };
}

function bind(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync(address, credentials, (error, bound) => (error === null ? resolve(bound) : reject(error)));
  return promise;
}

/** Exporters keep their connection open and idle: it is cut, not waited for. */
function close(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.tryShutdown(() => resolve());
  server.forceShutdown();
  return promise;
}
