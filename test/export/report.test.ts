import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { writeReport } from '../../src/export/report.ts';

test('a file is replaced', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'mapscope-report-'));
  context.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'report.json');
  await writeReport('a longer first report', file);
  await writeReport('second', file);
  assert.equal(readFileSync(file, 'utf8'), 'second');
});

test('a file that cannot be written is an error with its name', async () => {
  await assert.rejects(
    writeReport('x', '/no/such/directory/report'),
    /ENOENT.*\/no\/such\/directory\/report/,
  );
});

test('a stream gets it, and stays open', async () => {
  const stream = new PassThrough();
  const listeners = stream.listenerCount('error');
  await writeReport('one', stream);
  await writeReport(' two', stream);
  assert.equal(stream.listenerCount('error'), listeners);
  stream.end();
  assert.equal(await text(stream), 'one two');
});

test('a reader that went away is no error, a full disk is one', async () => {
  const failing = (code: string) =>
    new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error(code), { code })) });
  await writeReport('x', failing('EPIPE'));
  await assert.rejects(writeReport('x', failing('ENOSPC')), /ENOSPC/);
});

test('a closed pipe does not end the process with an error', async () => {
  const module = fileURLToPath(new URL('../../src/export/report.ts', import.meta.url));
  const script = `
    const { writeReport } = await import(${JSON.stringify(module)});
    process.stdin.resume();
    process.stdin.on('end', () => writeReport('x'.repeat(1 << 20), process.stdout));
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  child.stdin.end();
  const errors = text(child.stderr);
  const [status] = await once(child, 'exit');
  assert.equal(await errors, '');
  assert.equal(status, 0);
});
