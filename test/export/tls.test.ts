import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ServerCredentials } from '@grpc/grpc-js';
import { startReceiver } from '../support/otlp-receiver/receiver.ts';
import { makeCertificate } from './certificate.ts';
import { startExport, withEnvironment } from './pipeline.ts';

const directory = mkdtempSync(join(tmpdir(), 'mapscope-tls-'));
after(() => rmSync(directory, { recursive: true }));
/** It is authority, server and client at once: enough to see that each is asked for. */
const { key, certificate } = makeCertificate(directory, 'one');

function credentials(): ServerCredentials {
  const pem = readFileSync(certificate);
  return ServerCredentials.createSsl(pem, [{ private_key: readFileSync(key), cert_chain: pem }], true);
}

test('certificates and keys come from the environment', async (context) => {
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

test('a receiver with an unknown certificate gets nothing', async (context) => {
  const receiver = await startReceiver({ credentials: credentials() });
  context.after(() => receiver.close());
  const { otlp } = startExport(context, {
    endpoint: `https://localhost:${receiver.port}`,
    retry: { timeoutMillis: 3000 },
  });
  const result = await otlp.flush();
  assert.equal(result.delivered, false);
  assert.match(result.problem ?? '', /certificate/);
  assert.equal(receiver.summary().requests, 0);
});

test('a certificate file that cannot be read is said', async (context) => {
  const receiver = await startReceiver({ credentials: credentials() });
  context.after(() => receiver.close());
  withEnvironment(context, { OTEL_EXPORTER_OTLP_CERTIFICATE: join(directory, 'absent.pem') });
  const { otlp, said } = startExport(context, {
    endpoint: `https://localhost:${receiver.port}`,
    retry: { timeoutMillis: 3000 },
  });
  await otlp.flush();
  assert.ok(said.some(({ sentence }) => sentence.includes('Failed to read root certificate file')));
});
