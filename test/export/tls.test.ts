import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ServerCredentials } from '@grpc/grpc-js';
import { startReceiver } from '../../src/demo/receiver.ts';
import { startExport, withEnvironment } from './pipeline.ts';

const directory = mkdtempSync(join(tmpdir(), 'mapscope-tls-'));
after(() => rmSync(directory, { recursive: true }));
const key = join(directory, 'key.pem');
const certificate = join(directory, 'certificate.pem');

/** One certificate is authority, server and client at once: enough to see that each is asked for. */
const openssl = spawnSync('openssl', [
  ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
  ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate],
]);
const skip = openssl.status === 0 ? false : 'needs the openssl program';

function credentials(): ServerCredentials {
  const pem = readFileSync(certificate);
  return ServerCredentials.createSsl(pem, [{ private_key: readFileSync(key), cert_chain: pem }], true);
}

test('certificates and keys come from the environment', { skip }, async (context) => {
  const receiver = await startReceiver({ credentials: credentials() });
  context.after(() => receiver.close());
  withEnvironment(context, {
    OTEL_EXPORTER_OTLP_CERTIFICATE: certificate,
    OTEL_EXPORTER_OTLP_CLIENT_KEY: key,
    OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: certificate,
  });
  const { otlp } = startExport(context, { endpoint: `https://localhost:${receiver.port}` });
  const result = await otlp.flush();
  assert.equal(result.problem, undefined);
  assert.equal(receiver.summary().requests, 1);
});

test('a receiver with an unknown certificate gets nothing', { skip }, async (context) => {
  const receiver = await startReceiver({ credentials: credentials() });
  context.after(() => receiver.close());
  const { otlp } = startExport(context, {
    endpoint: `https://localhost:${receiver.port}`,
    retry: { timeoutMillis: 100 },
  });
  const result = await otlp.flush();
  assert.equal(result.delivered, false);
  assert.match(result.problem ?? '', /certificate/);
  assert.equal(receiver.summary().requests, 0);
});

test('a certificate file that cannot be read is said', { skip }, async (context) => {
  const receiver = await startReceiver({ credentials: credentials() });
  context.after(() => receiver.close());
  withEnvironment(context, { OTEL_EXPORTER_OTLP_CERTIFICATE: join(directory, 'absent.pem') });
  const { otlp, said } = startExport(context, {
    endpoint: `https://localhost:${receiver.port}`,
    retry: { timeoutMillis: 100 },
  });
  await otlp.flush();
  assert.ok(said.some(({ sentence }) => sentence.includes('Failed to read root certificate file')));
});
