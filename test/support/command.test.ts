import assert from 'node:assert/strict';
import { appendFileSync, cpSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertBundled, commandLine, ROOT } from './command.ts';

test('a command whose bundle is older than a source is not run', (context) => {
  const checkout = mkdtempSync(join(tmpdir(), 'mapscope-bundled-'));
  context.after(() => rmSync(checkout, { recursive: true }));
  for (const part of ['package-lock.json', 'src', 'build/cli']) {
    cpSync(join(ROOT, part), join(checkout, part), { recursive: true });
  }
  assertBundled(checkout);
  appendFileSync(join(checkout, 'src/base/text.ts'), '\n');
  assert.throws(() => assertBundled(checkout), /older than its sources: run npm run setup/);
});

test('nobody else knows where the command is', () => {
  const [, start] = commandLine();
  assert.equal(start, join(ROOT, 'src/cli/start.mjs'));
  const files = globSync('{test,tools}/**/*.{ts,mjs}', { cwd: ROOT });
  assert.ok(files.length > 200, `${files.length} files`);
  const knowing = files.filter((file) =>
    /cli\/(?:start\.mjs|main\.ts|main\.mjs)'/.test(readFileSync(join(ROOT, file), 'utf8')),
  );
  assert.deepEqual(knowing.sort(), [
    'test/support/command.test.ts',
    'test/support/command.ts',
    // It does not run the command, but packs it.
    'tools/package/product.ts',
  ]);
});
