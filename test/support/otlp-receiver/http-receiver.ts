import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { ExportRequestMessage } from './messages.ts';
import { Received } from './received.ts';
import type { Receiver, ReceiverOptions } from './receiver.ts';
import { metricsService } from './service.ts';

export type HttpReceiverOptions = Omit<ReceiverOptions, 'credentials'> & {
  /** With them the connection is encrypted. */
  readonly tls?: https.ServerOptions;
  /** Where it takes metrics (/v1/metrics). */
  readonly path?: string;
};

const PROTOBUF = 'application/x-protobuf';
const MOST_BYTES = 4 * 1024 * 1024;

/** HTTP's statuses for the codes of gRPC that tests refuse with. */
const STATUSES: Readonly<Record<number, number>> = { 3: 400, 8: 429, 14: 503, 16: 401 };

const unzip = promisify(gunzip);

/** The same as `startReceiver`, over HTTP. */
export async function startHttpReceiver(options: HttpReceiverOptions = {}): Promise<Receiver> {
  const received = new Received(options);
  const method = metricsService().Export;
  if (method === undefined) {
    throw new Error('the service has no method Export');
  }
  const handle = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    const answer = (status: number, body: Uint8Array | string): void => {
      response
        .writeHead(status, { 'Content-Type': typeof body === 'string' ? 'text/plain' : PROTOBUF })
        .end(body);
      received.look();
    };
    const body = Buffer.concat(await request.toArray());
    const bytes = request.headers['content-encoding'] === 'gzip' ? await unzip(body) : body;
    if (request.url !== (options.path ?? '/v1/metrics')) {
      return answer(404, '404 page not found');
    }
    if (request.headers['content-type'] !== PROTOBUF) {
      return answer(415, 'only protobuf');
    }
    if (bytes.length > (options.mostBytes ?? MOST_BYTES)) {
      return answer(413, 'request body too large');
    }
    const refusal = await received.take(
      method.requestDeserialize(bytes) as ExportRequestMessage,
      request.headers,
    );
    if (refusal !== undefined) {
      return answer(STATUSES[refusal.code ?? 0] ?? 500, refusal.details ?? '');
    }
    answer(200, method.responseSerialize(options.answer?.() ?? {}));
  };
  const listener: http.RequestListener = (request, response) => void handle(request, response);
  const server =
    options.tls === undefined ? http.createServer(listener) : https.createServer(options.tls, listener);
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    summary: () => received.summary(),
    until: (condition) => received.until(condition),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
      received.check();
    },
  };
}
