import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../src/base/errors.ts';
import { readSettings } from '../../src/config/settings.ts';

test('a threshold of spikes: a number, a multiple, or off', () => {
  const threshold = (spikes: string) => readSettings({ spikes }).spikes;
  assert.equal(readSettings({}).spikes, undefined);
  assert.equal(threshold('off'), 'off');
  assert.deepEqual(threshold('1'), { limit: 1 });
  assert.deepEqual(threshold('999999'), { limit: 999_999 });
  assert.deepEqual(threshold('2x'), { factor: 2 });
  for (const wrong of ['0', '-1', '1x', '0x', '1.5', '8 x', '8X', 'x', '', '1000000', 'on']) {
    assert.throws(
      () => threshold(wrong),
      (error) =>
        error instanceof UserError &&
        error.exitStatus === 2 &&
        error.message ===
          `--spikes must be off, a number such as 16, or a multiple such as 8x, not "${wrong}".`,
      wrong,
    );
  }
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

test('a message names the option as it is typed, or the key and its file, and the value', (context) => {
  const message = (options: Parameters<typeof readSettings>[0]): string => {
    try {
      readSettings(options);
    } catch (error) {
      assert.ok(error instanceof UserError && error.exitStatus === 2);
      return error.message;
    }
    throw new Error('accepted');
  };
  const folder = mkdtempSync(join(tmpdir(), 'mapscope-settings-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, 'mapscope.yaml');
  const inFile = (text: string): string => {
    writeFileSync(config, text);
    return message({ config }).replace(folder, '');
  };
  assert.equal(
    message({ duration: '5x' }),
    '--duration must be a duration such as 500ms, 10s, 2m, 600h or 7d, not "5x".',
  );
  assert.equal(
    message({ otlpEndpoint: 'there' }),
    '--otlp-endpoint must start with http:// or, for TLS, https://, as in http://127.0.0.1:4317, not "there".',
  );
  assert.equal(
    message({ goroutines: 'all' }),
    '--goroutines must be a whole number from 0 to 1000, not "all".',
  );
  assert.equal(message({ lookups: '1.5' }), '--lookups must be a whole number above 0, not "1.5".');
  assert.equal(message({ lookups: 1.5 }), '--lookups must be a whole number above 0, not 1.5.');
  assert.equal(
    message({ traceSources: 'labels,zipkin' }),
    '--trace-sources must be none, or any of labels, sdk, http, grpc, obi, not "labels,zipkin".',
  );
  assert.equal(
    inFile('mode: all\n\nbudget: 1\n'),
    '/mapscope.yaml:3:1: budget must be a share such as 1% or 0.01, above 0 and at most 100%, not 1.',
  );
  assert.equal(
    inFile('duration: [10]\n'),
    '/mapscope.yaml:1:1: duration must be a duration such as 500ms, 10s, 2m, 600h or 7d, not [10].',
  );
  assert.equal(inFile('# all\nmod: all\n'), '/mapscope.yaml:2:1: unknown setting mod: did you mean mode?');
  assert.equal(inFile('xyz: all\n'), '/mapscope.yaml:1:1: unknown setting xyz.');
  assert.equal(inFile('output: 3\n'), '/mapscope.yaml:1:1: output must be a file name, not 3.');
  assert.match(inFile('- a\n'), /^\/mapscope\.yaml: this is not a YAML mapping\.$/);
});

test('durations and shares, as text and as YAML numbers', () => {
  const durations = [
    ['500ms', 500],
    ['1.5s', 1500],
    ['10', 10_000],
    [10, 10_000],
    ['600h', 2_160_000_000],
    ['2d', 172_800_000],
  ] as const;
  for (const [duration, millis] of durations) {
    assert.equal(readSettings({ duration }).duration, millis, String(duration));
  }
  const shares = [
    ['1%', 0.01],
    ['0.5%', 0.005],
    ['0.01', 0.01],
    [0.01, 0.01],
    ['100%', 1],
  ] as const;
  for (const [budget, fraction] of shares) {
    assert.equal(readSettings({ budget }).budget, fraction, String(budget));
  }
  for (const budget of ['0', '0%', '101%', '1', 1, 2, -1, 'all', '', '1 %']) {
    assert.throws(() => readSettings({ budget }), UserError, String(budget));
  }
  for (const duration of ['0', '0s', -1, '', '1w', 's', '1 s', 'Infinity', `${'9'.repeat(400)}s`]) {
    assert.throws(() => readSettings({ duration }), UserError, String(duration));
  }
});
