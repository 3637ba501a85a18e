import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readSettings } from '../../src/cli/settings.ts';
import { UserError } from '../../src/errors.ts';

test('a threshold of spikes: a number, a multiple, or off', () => {
  const threshold = (spikes: string) => readSettings({ spikes }).spikes;
  assert.equal(readSettings({}).spikes, undefined);
  assert.equal(threshold('off'), 'off');
  assert.deepEqual(threshold('1'), { limit: 1 });
  assert.deepEqual(threshold('999999'), { limit: 999_999 });
  assert.deepEqual(threshold('2x'), { factor: 2 });
  for (const wrong of ['0', '-1', '1x', '0x', '1.5', '8 x', '8X', 'x', '', '1000000', 'on'])
    assert.throws(
      () => threshold(wrong),
      (error) =>
        error instanceof UserError &&
        error.exitStatus === 2 &&
        error.message ===
          'In the command line: spikes must be off, a number such as 16, or a multiple such as 8x.',
      wrong,
    );
});

test('a number in the file is a threshold, too', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'mapscope-settings-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, 'mapscope.yaml');
  writeFileSync(config, 'spikes: 20\notlpLogsEndpoint: http://there:4317\n');
  const { spikes, otlpLogsEndpoint } = readSettings({ config });
  assert.deepEqual([spikes, otlpLogsEndpoint], [{ limit: 20 }, 'http://there:4317']);
  assert.deepEqual(readSettings({ config, spikes: '8x' }).spikes, { factor: 8 });
});
