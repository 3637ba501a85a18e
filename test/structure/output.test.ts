// One door to the terminal: what leaves past it has not been cleaned.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');

test('only one file writes to stderr, and nobody to stdout what was not made fit for it', () => {
  const raw = /process\.(stdout|stderr)\.write\((?!textOf\()|console\.\w+\(/;
  const files = globSync('src/**/*.ts', { cwd: ROOT });
  assert.deepEqual(
    files.filter((file) => raw.test(readFileSync(join(ROOT, file), 'utf8'))),
    [],
  );
});
