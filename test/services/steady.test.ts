import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildGo } from '../support/go-toolchains.ts';

const STEADY = join(import.meta.dirname, 'steady');

/** Runs the service, ends it with SIGTERM when asked to, and returns how many lookups it says it made. */
async function lookupsOf(args: readonly string[], terminateAfterMs?: number): Promise<number> {
  const child = spawn(await buildGo({ dir: STEADY, version: 'local' }), args, {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    if (output === '' && terminateAfterMs !== undefined) {
      setTimeout(() => child.kill('SIGTERM'), terminateAfterMs);
    }
    output += chunk;
  });
  const status = await new Promise((done) => child.on('close', done));
  assert.equal(status, 0);
  const said = /^ready\nlookups (\d+)\n$/.exec(output);
  assert.ok(said, output);
  return Number(said[1]);
}

test('the steady service keeps its rate and stops in time', async () => {
  const lookups = await lookupsOf(['-rate', '2000', '-duration', '500ms', '-goroutines', '2']);
  assert.ok(lookups > 800 && lookups < 1200, `${lookups}`);
});

test('the steady service says on SIGTERM what it did', async () => {
  assert.ok((await lookupsOf(['-rate', '0'], 200)) > 10_000);
});

test('the steady service stops in time at a rate that it cannot keep', async () => {
  assert.ok((await lookupsOf(['-rate', '1e15', '-duration', '100ms'])) > 1000);
});
