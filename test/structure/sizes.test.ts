// A file that one can read in a sitting, a folder whose files one can take in at a glance.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');
const MOST_LINES = 350;
const MOST_FILES = 15;

const files = globSync('{src,bpf,native,tools}/**/*', { cwd: ROOT, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length).replace(/^\//, ''));

function lines(file: string): number {
  return readFileSync(join(ROOT, file), 'utf8').split('\n').length - 1;
}

test('there are files', () => {
  assert.ok(files.length > 200);
});

test(`no file has more than ${MOST_LINES} lines`, () => {
  assert.deepEqual(
    files.filter((file) => lines(file) > MOST_LINES),
    [],
  );
});

test(`no folder has more than ${MOST_FILES} files`, () => {
  const counts = new Map<string, number>();
  for (const file of files) {
    counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  }
  assert.deepEqual(
    [...counts].filter(([, count]) => count > MOST_FILES),
    [],
  );
});
