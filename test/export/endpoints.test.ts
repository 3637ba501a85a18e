// What a user is told of an endpoint that cannot work: one sentence, which says what to change.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { ServerCredentials } from '@grpc/grpc-js';
import { startHttpReceiver } from '../support/otlp-receiver/http-receiver.ts';
import { startReceiver } from '../support/otlp-receiver/receiver.ts';
import { makeCertificate } from './certificate.ts';
import { startExport, withEnvironment } from './pipeline.ts';

const LIMIT = { timeout: 60_000 };
const GRPC = { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
const HTTP = { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' };

const directory = mkdtempSync(join(tmpdir(), 'mapscope-endpoints-'));
after(() => rmSync(directory, { recursive: true }));
const files = makeCertificate(directory, 'one');
const pem = { key: readFileSync(files.key), cert: readFileSync(files.certificate) };

/** Without what is set where the tests run. */
function withoutProxies(context: TestContext): void {
  const names = [
    'grpc_proxy',
    'https_proxy',
    'http_proxy',
    'HTTPS_PROXY',
    'HTTP_PROXY',
    'no_proxy',
    'NO_PROXY',
  ];
  withEnvironment(context, Object.fromEntries(names.map((name) => [name, ''])));
}

/** What is said of an export; without proxies of the machine's own, unless the variables name one. */
async function sentenceOf(
  context: TestContext,
  endpoint: string,
  variables: Readonly<Record<string, string>>,
): Promise<string> {
  withoutProxies(context);
  withEnvironment(context, variables);
  const { otlp } = startExport(context, {
    endpoint,
    retry: { timeoutMillis: 8000, initialDelayMillis: 60_000, maxDelayMillis: 60_000 },
  });
  return (await otlp.flush(15_000)).problem ?? 'delivered';
}

/** The same without the numbers of ports, which differ each time. */
async function problem(...args: Parameters<typeof sentenceOf>): Promise<string> {
  return (await sentenceOf(...args)).replaceAll(/:\d{4,5}\b/g, ':PORT');
}

/** A server that is none of any protocol. */
async function listening(context: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

function tlsGrpc() {
  const credentials = ServerCredentials.createSsl(null, [{ private_key: pem.key, cert_chain: pem.cert }]);
  return startReceiver({ credentials });
}

test('gRPC to a receiver of HTTP', LIMIT, async (context) => {
  const receiver = await startHttpReceiver();
  context.after(() => receiver.close());
  assert.equal(
    await problem(context, receiver.endpoint, GRPC),
    'Metrics do not reach http://127.0.0.1:PORT: it answers in HTTP/1.1, and so is no receiver of OTLP/gRPC: set ' +
      'OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, or give the port of gRPC, mostly 4317.',
  );
});

test('HTTP to a receiver of gRPC', LIMIT, async (context) => {
  const receiver = await startReceiver();
  context.after(() => receiver.close());
  assert.equal(
    await problem(context, receiver.endpoint, HTTP),
    'Metrics do not reach http://127.0.0.1:PORT: it speaks HTTP/2 only, and so is a receiver of OTLP/gRPC: set ' +
      'OTEL_EXPORTER_OTLP_PROTOCOL=grpc, or give the port of HTTP, mostly 4318.',
  );
});

for (const [name, variables] of [
  ['gRPC', GRPC],
  ['HTTP', HTTP],
] as const) {
  test(`${name}: TLS on the receiver's side only`, LIMIT, async (context) => {
    const receiver = await (name === 'gRPC' ? tlsGrpc() : startHttpReceiver({ tls: pem }));
    context.after(() => receiver.close());
    assert.equal(
      await problem(context, `http://localhost:${receiver.port}`, variables),
      'Metrics do not reach http://localhost:PORT: it expects TLS: start the endpoint with https:// instead of http://.',
    );
  });

  test(`${name}: TLS on our side only`, LIMIT, async (context) => {
    const receiver = await (name === 'gRPC' ? startReceiver() : startHttpReceiver());
    context.after(() => receiver.close());
    assert.equal(
      await problem(context, `https://localhost:${receiver.port}`, variables),
      'Metrics do not reach https://localhost:PORT: it does not speak TLS: start the endpoint with http:// instead of https://.',
    );
  });

  test(`${name}: an unknown authority`, LIMIT, async (context) => {
    const receiver = await (name === 'gRPC' ? tlsGrpc() : startHttpReceiver({ tls: pem }));
    context.after(() => receiver.close());
    assert.match(
      await problem(context, `https://localhost:${receiver.port}`, variables),
      /: it cannot be reached \(.*certificate.*\)\.$/,
    );
  });

  test(`${name}: garbage as an answer`, LIMIT, async (context) => {
    const port = await listening(
      context,
      createServer((socket) => socket.on('error', () => {}).end('220 mail.example.com ESMTP\r\n')),
    );
    assert.equal(
      await problem(context, `http://127.0.0.1:${port}`, variables),
      'Metrics do not reach http://127.0.0.1:PORT: what answers there is no receiver of OTLP: it speaks neither HTTP/1.1 nor HTTP/2.',
    );
  });

  test(`${name}: nobody there, also through a proxy`, LIMIT, async (context) => {
    const receiver = await startReceiver();
    await receiver.close();
    assert.match(
      await problem(context, receiver.endpoint, variables),
      /: it cannot be reached \(connect ECONNREFUSED 127\.0\.0\.1:PORT\)\.$/,
    );
    const proxied = { ...variables, http_proxy: `http://user:secret@127.0.0.1:${receiver.port}` };
    const sentence = await sentenceOf(context, 'http://collector.example.com:4317', proxied);
    assert.match(sentence, /: it cannot be reached \(through the proxy of the variable http_proxy: .+\)\.$/);
    assert.doesNotMatch(sentence, /secret/);
  });

  test(`${name}: a receiver on this machine is not asked for through a proxy`, LIMIT, async (context) => {
    const receiver = await (name === 'gRPC' ? startReceiver() : startHttpReceiver());
    context.after(() => receiver.close());
    const proxied = { ...variables, http_proxy: 'http://127.0.0.1:9', https_proxy: 'http://127.0.0.1:9' };
    assert.equal(await sentenceOf(context, receiver.endpoint, proxied), 'delivered');
  });

  test(`${name}: an address of IPv6`, LIMIT, async (context) => {
    assert.match(
      await problem(context, 'http://[::1]:9', variables),
      /^Metrics do not reach http:\/\/\[::1\]:9: it cannot be reached \(connect E\w+ ::1:9.*\)\.$/,
    );
  });

  test(`${name}: certificates are read again when they change`, LIMIT, async (context) => {
    const other = makeCertificate(directory, `other-${name}`);
    const trusted = join(directory, `trusted-${name}.pem`);
    copyFileSync(other.certificate, trusted);
    const receiver = await (name === 'gRPC' ? tlsGrpc() : startHttpReceiver({ tls: pem }));
    context.after(() => receiver.close());
    withoutProxies(context);
    withEnvironment(context, { ...variables, OTEL_EXPORTER_OTLP_CERTIFICATE: trusted });
    const { otlp } = startExport(context, {
      endpoint: `https://localhost:${receiver.port}`,
      retry: { timeoutMillis: 3000, initialDelayMillis: 60_000, maxDelayMillis: 60_000 },
    });
    assert.match((await otlp.flush()).problem ?? '', /certificate/);
    copyFileSync(files.certificate, trusted);
    assert.equal((await otlp.flush()).problem, undefined);
  });
}

test('HTTP: what is no path of a receiver is said with the status', LIMIT, async (context) => {
  const receiver = await startHttpReceiver({ path: '/otlp/v1/metrics' });
  context.after(() => receiver.close());
  assert.equal(
    await problem(context, receiver.endpoint, HTTP),
    'Metrics do not reach http://127.0.0.1:PORT: it does not receive metrics over OTLP/HTTP at this path ' +
      '(HTTP 404 Not Found: 404 page not found).',
  );
  assert.equal(await problem(context, `${receiver.endpoint}/otlp`, HTTP), 'delivered');
});

test('HTTP: a server of TLS that says so in plain HTTP', LIMIT, async (context) => {
  const words = 'Client sent an HTTP request to an HTTPS server.\n';
  const answer = `HTTP/1.0 400 Bad Request\r\nContent-Length: ${words.length}\r\n\r\n${words}`;
  const server = createServer((socket) =>
    socket.on('error', () => {}).once('data', () => socket.end(answer)),
  );
  const port = await listening(context, server);
  assert.equal(
    await problem(context, `http://127.0.0.1:${port}`, HTTP),
    'Metrics do not reach http://127.0.0.1:PORT: it expects TLS: start the endpoint with https:// instead of http://.',
  );
});

test('HTTP: who is sent elsewhere is told where', LIMIT, async (context) => {
  const port = await listening(
    context,
    http.createServer((_request, response) =>
      response.writeHead(302, { Location: 'https://login.example.com/' }).end(),
    ),
  );
  assert.equal(
    await problem(context, `http://127.0.0.1:${port}`, HTTP),
    'Metrics do not reach http://127.0.0.1:PORT: HTTP 302 Found, which points to https://login.example.com/.',
  );
});

test('gRPC through a socket of this machine', LIMIT, async (context) => {
  const path = join(directory, 'otel.sock');
  const receiver = await startReceiver({ socket: path });
  context.after(() => receiver.close());
  assert.equal(await problem(context, `unix://${path}`, GRPC), 'delivered');
  assert.equal(receiver.summary().requests, 1);
});
