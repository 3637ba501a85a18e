import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { Terminal } from '../../src/base/terminal.ts';
import { createProgress, progressText } from '../../src/report/progress.ts';
import { callSite, snapshot } from '../model/fixtures.ts';

const STATE = snapshot([callSite(1500)], { seconds: 3.2, attachedSeconds: 0.04, windows: 4, unreadable: {} });

test('the line tells time, lookups and windows, and losses when there are some', () => {
  assert.equal(progressText(STATE), '3.2 s, 1,500 lookups, 4 windows of 40 ms in all');
  assert.match(
    progressText({ ...STATE, dropped: { table_full: 2 } }),
    /, 2 lookups not decoded or not recorded$/,
  );
});

test('on a terminal one line is rewritten, within its width, and removed', () => {
  const terminal = Object.assign(new PassThrough(), { isTTY: true, columns: 20 });
  const progress = createProgress(new Terminal(terminal));
  progress.clear();
  assert.equal(terminal.read(), null, 'nothing to remove');
  progress.update(STATE);
  const shown = String(terminal.read());
  assert.equal(stripVTControlCharacters(shown), '\r3.2 s, 1,500 looku…');
  progress.update(STATE);
  assert.equal(terminal.read(), null, 'not twice at once');
  progress.clear();
  assert.equal(String(terminal.read()), '\r\x1b[2K');
});

test('elsewhere nothing is written', () => {
  const file = new PassThrough();
  const progress = createProgress(new Terminal(file));
  progress.update(STATE);
  progress.clear();
  assert.equal(file.read(), null);
});

test('a warning takes the place of the line, which follows below it', () => {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 80 });
  const terminal = new Terminal(stream);
  const progress = createProgress(terminal);
  terminal.write('first');
  assert.equal(String(stream.read()), 'first\n', 'nothing to remove');
  progress.update(STATE);
  stream.read();
  terminal.write('warning');
  assert.equal(String(stream.read()), `\r\x1b[2Kwarning\n${progressText(STATE)}`);
  progress.clear();
  stream.read();
  terminal.write('last');
  assert.equal(String(stream.read()), 'last\n');
});

test('a terminal without a size is taken for one of 80 columns', () => {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 0 });
  createProgress(new Terminal(stream)).update(STATE);
  assert.equal(stripVTControlCharacters(String(stream.read())), `\r${progressText(STATE)}`);
});

test('a stream that nobody reads any more ends nothing', async () => {
  const stream = new PassThrough();
  const terminal = new Terminal(stream);
  stream.destroy(new Error('EPIPE'));
  await new Promise((resolve) => stream.once('close', resolve));
  terminal.write('unheard');
});
