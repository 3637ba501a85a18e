import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Endpoint } from '../settings/endpoint.ts';

/*
 * When a receiver cannot be spoken with, what libraries say of it ("Protocol error", "socket hang up") rarely tells what to change. So
 * it is asked once more, by hand: what comes first from it tells what it is.
 */

/** Time for an answer. */
const LIMIT_MILLIS = 1000;

/** Begins HTTP/2, with an empty frame of settings. A server of HTTP/1.1 answers it as well, with an error. */
const HTTP2 = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

/** Makes any server of TLS show itself: it is none of TLS. */
const HTTP1 = Buffer.from('GET / HTTP/1.1\r\nHost: mapscope\r\nConnection: close\r\n\r\n');

type Kind = 'http/1' | 'http/2' | 'tls' | 'other' | 'nothing';

/** What was found out about a failure. */
export interface Diagnosis {
  /** What the failed request said. */
  readonly said: string;
  /** What is wrong with the way the endpoint is spoken with, as a whole reason; undefined when nothing is. */
  readonly reason: string | undefined;
}

/** Asks an endpoint what it is, when a request has failed. */
export async function diagnose(endpoint: Endpoint, said: string): Promise<Diagnosis> {
  if (/^unix:/i.test(endpoint.url)) {
    return { said, reason: undefined };
  }
  const url = new URL(endpoint.url);
  const isTls = url.protocol === 'https:';
  return { said, reason: await (isTls ? tlsProblem(endpoint, url, said) : plainProblem(endpoint, url)) };
}

async function plainProblem({ protocol, url: text }: Endpoint, url: URL): Promise<string | undefined> {
  const greeting = protocol === 'grpc' ? HTTP2 : HTTP1;
  const first = await firstBytes(connect(portOf(url), hostOf(url)), greeting);
  const kind = kindOf(first);
  // Some servers of TLS close the connection without a word, as others do for any reason.
  if (kind === 'tls' || saysTls(first) || (kind === 'nothing' && (await speaksTls(url)))) {
    return `it expects TLS: start the endpoint with https:// instead of ${text.slice(0, 7)}`;
  }
  return protocolProblem(protocol, kind);
}

async function tlsProblem({ protocol }: Endpoint, url: URL, said: string): Promise<string | undefined> {
  if (/certificate|CERT|altname/i.test(said)) {
    return undefined;
  }
  const plain = kindOf(await firstBytes(connect(portOf(url), hostOf(url)), HTTP2));
  if (plain === 'http/1' || plain === 'http/2') {
    // A server of TLS may say in plain HTTP/1 that it wants none of it.
    const first = await firstBytes(connect(portOf(url), hostOf(url)), HTTP1);
    if (!saysTls(first)) {
      return 'it does not speak TLS: start the endpoint with http:// instead of https://';
    }
  }
  const greeting = protocol === 'grpc' ? HTTP2 : HTTP1;
  const first = await firstBytes(
    overTls(url, protocol === 'grpc' ? 'h2' : 'http/1.1'),
    greeting,
    'secureConnect',
  );
  return protocolProblem(protocol, kindOf(first));
}

/** Nothing is sent but a greeting, so that it does not matter who it is. */
function overTls(url: URL, protocol: string): Socket {
  const host = hostOf(url);
  const servername = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({
    port: portOf(url),
    host,
    ...servername,
    rejectUnauthorized: false,
    ALPNProtocols: [protocol, 'h2', 'http/1.1'],
  });
}

/** One that asks for a certificate of ours speaks it, too: it says so only after the handshake, or in its alert. */
async function speaksTls(url: URL): Promise<boolean> {
  const socket = overTls(url, 'h2');
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), LIMIT_MILLIS);
  socket.once('secureConnect', () => resolve(true));
  socket.once('error', (error) => resolve(/alert/i.test(error.message)));
  socket.once('close', () => resolve(false));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}

/** A server of Go's says in plain HTTP what it expects. */
function saysTls(first: Buffer): boolean {
  return /HTTP request to an HTTPS server/.test(first.toString('latin1'));
}

function protocolProblem(protocol: Endpoint['protocol'], kind: Kind): string | undefined {
  switch (kind) {
    case 'http/1':
      return protocol === 'grpc'
        ? 'it answers in HTTP/1.1, and so is no receiver of OTLP/gRPC: set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, or give the port of gRPC, mostly 4317'
        : undefined;
    case 'http/2':
      return protocol === 'grpc'
        ? undefined
        : 'it speaks HTTP/2 only, and so is a receiver of OTLP/gRPC: set OTEL_EXPORTER_OTLP_PROTOCOL=grpc, or give the port of HTTP, mostly 4318';
    case 'other':
      return 'what answers there is no receiver of OTLP: it speaks neither HTTP/1.1 nor HTTP/2';
    case 'tls':
    case 'nothing':
      return undefined;
  }
}

function kindOf(first: Buffer): Kind {
  const [type = -1, major = -1, , frame = -1] = first;
  if (first.length === 0) {
    return 'nothing';
  }
  if (first.subarray(0, 5).toString('latin1') === 'HTTP/') {
    return 'http/1';
  }
  // A record of an alert, or of a handshake.
  if ((type === 0x15 || type === 0x16) && major === 3) {
    return 'tls';
  }
  // A frame of settings is the first that a server of HTTP/2 sends; one that says good-bye comes alone.
  return type === 0 && (frame === 4 || frame === 7) ? 'http/2' : 'other';
}

/** What comes first from a server; empty when it does not answer, or closes the connection. */
function firstBytes(socket: Socket, greeting: Uint8Array, ready = 'connect'): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const nothing = (): void => resolve(Buffer.alloc(0));
  const timer = setTimeout(nothing, LIMIT_MILLIS);
  socket.once(ready, () => socket.write(greeting));
  socket.once('data', resolve);
  socket.once('close', nothing);
  socket.once('error', nothing);
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

function portOf({ port, protocol }: URL): number {
  return Number(port || (protocol === 'https:' ? 443 : 80));
}
