// What a person sees who runs the demo for the first time.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import stringWidth from 'string-width';
import { ROOT } from '../support/command.ts';

const run = promisify(execFile);

/** Where nobody says how many there are. */
const COLUMNS = 100;

test('the demo says what it cost and which line is busiest, without scrolling sideways', {
  timeout: 300_000,
}, async () => {
  const { stdout } = await run(process.execPath, [join(ROOT, 'tools/demo/demo.ts')], { cwd: ROOT });
  const lines = stdout.trimEnd().split('\n');
  for (const line of lines) {
    assert.ok(stringWidth(line) <= COLUMNS, `${stringWidth(line)} columns: ${line}`);
  }
  // Sentences may go on in the next line.
  const text = lines.join(' ').replace(/ {2,}/g, ' ');
  const [, share, seconds] = /Cost: about ([\d.]+) % of the target's CPU time, ([\d.]+) s /.exec(text) ?? [];
  assert.ok(Number(share) > 5 && Number(seconds) > 0.5, text);
  const [, place, part] = /Busiest line: (\S+\.go:\d+) \S+, with ([\d.]+) % of the lookups;/.exec(text) ?? [];
  assert.ok(place !== undefined && Number(part) > 1, text);
  // It is the first row, unless several rows are of one line.
  assert.match(text, / call site .*\.go:\d+/);
  assert.match(text, /ast\.SymbolTable = map\[string\]\*ast\.Symbol/);
  assert.match(text, /What the OTLP receiver at http:\S+ got:.* gomap\.lookups .* of the resource /);
});
