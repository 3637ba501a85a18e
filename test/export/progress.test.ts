import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { createProgress, progressText } from '../../src/export/progress.ts';
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
  const progress = createProgress(terminal);
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
  const progress = createProgress(file);
  progress.update(STATE);
  progress.clear();
  assert.equal(file.read(), null);
});
