import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OutputFile } from '../../src/report/output-file.ts';
import { writeReport } from '../../src/report/write.ts';

test('a file is replaced', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'mapscope-report-'));
  context.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'report.json');
  await writeReport('a longer first report', await OutputFile.open(file));
  const second = await OutputFile.open(file);
  assert.equal(readFileSync(file, 'utf8'), 'a longer first report', 'until the next is there');
  await writeReport('second', second);
  assert.equal(readFileSync(file, 'utf8'), 'second');
  assert.deepEqual(readdirSync(directory), ['report.json'], 'nothing is left behind');
});

test('a file that cannot be written is an error with its name', async () => {
  await assert.rejects(OutputFile.open('/no/such/directory/report'), /ENOENT.*\/no\/such\/directory\/report/);
});

test('a link is kept, and so is the mode of the file that it leads to', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'mapscope-report-'));
  context.after(() => rmSync(directory, { recursive: true }));
  const [file, link] = [join(directory, 'report'), join(directory, 'link')];
  writeFileSync(file, 'first', { mode: 0o600 });
  symlinkSync('report', link);
  await writeReport('second', await OutputFile.open(link));
  assert.equal(readlinkSync(link), 'report');
  assert.equal(readFileSync(file, 'utf8'), 'second');
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('a device is written to, and says what it does not take', async () => {
  await writeReport('x', await OutputFile.open('/dev/null'));
  await assert.rejects(writeReport('x', await OutputFile.open('/dev/full')), /ENOSPC/);
  await assert.rejects(OutputFile.open('/'), /EISDIR/);
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
  const module = fileURLToPath(new URL('../../src/report/write.ts', import.meta.url));
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
