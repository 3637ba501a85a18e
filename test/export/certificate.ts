import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** A certificate for localhost that is its own authority, and its key, as files. */
export function makeCertificate(directory: string, name: string): { key: string; certificate: string } {
  const key = join(directory, `${name}-key.pem`);
  const certificate = join(directory, `${name}.pem`);
  const { status, stderr } = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', `/CN=localhost/O=${name}`],
    ...['-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate],
  ]);
  assert.equal(status, 0, String(stderr));
  return { key, certificate };
}
