// What mapscope says: as text or JSON, from a level on, and not without end.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../support/command.ts';

const LIMIT = { timeout: 60_000 };

/** What a script writes to stderr, in which `log` and what goes with it are there. */
function said(script: string, env: Readonly<Record<string, string>> = {}): string[] {
  const imported = ['log.ts', 'secrets.ts'].map(
    (file) => `Object.assign(globalThis, await import(${JSON.stringify(join(ROOT, 'src/base', file))}));`,
  );
  const args = ['--input-type=module', '--eval', `${imported.join('\n')}\n${script}`];
  const { stderr, status } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  assert.equal(status, 0, stderr);
  return stderr.trimEnd().split('\n');
}

test('text, and levels', LIMIT, () => {
  const script = `for (const level of ['info', 'warn', 'error']) log(level, 'It ' + level + 's.');`;
  assert.deepEqual(said(script), [
    'mapscope: It infos.',
    'mapscope: warning: It warns.',
    'mapscope: It errors.',
  ]);
  assert.deepEqual(said(`configureLog({ format: 'text', level: 'warn' }); ${script}`), [
    'mapscope: warning: It warns.',
    'mapscope: It errors.',
  ]);
  assert.deepEqual(said(`configureLog({ format: 'text', level: 'error' }); ${script}`), [
    'mapscope: It errors.',
  ]);
});

test('JSON: a document in each line, whatever a sentence holds', LIMIT, () => {
  const before = Date.now();
  const [line = '', ...others] = said(
    `configureLog({ format: 'json', level: 'info' }); log('warn', 'a\\n"b"\\x1b[31m\\u202e');`,
  );
  assert.deepEqual(others, []);
  const { time, ...rest } = JSON.parse(line);
  assert.ok(Date.parse(time) >= before && Date.parse(time) <= Date.now(), time);
  assert.equal(rest.level, 'warn');
  assert.ok(rest.message.startsWith('a\n"b"\x1b[31m'), rest.message);
  assert.ok(!line.includes('\u202e') && !line.includes('\x1b'), line);
});

test('of very many that are alike some are left out, and counted', LIMIT, () => {
  const lines = said(`
    for (let i = 1; i <= 101; i++) log('warn', 'Process ' + i + ' is not observed.');
    log('info', 'Something else.');
    for (let i = 1; i <= 100; i++) log('error', 'It failed.');
    tellLeftOut();
    log('warn', 'Process 102 is not observed.');`);
  const processes = lines.filter((line) => line.includes('Process'));
  assert.equal(processes.length, 62);
  assert.equal(processes[59], 'mapscope: warning: Process 60 is not observed.');
  assert.equal(processes[60], 'mapscope: warning: Process 101 is not observed. (and 40 more like it)');
  assert.equal(processes[61], 'mapscope: warning: Process 102 is not observed.');
  assert.ok(lines.includes('mapscope: Something else.'));
  assert.equal(lines.filter((line) => line.includes('It failed')).length, 100);
});

test('secrets of the environment and of URLs are hidden', LIMIT, () => {
  const env = {
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20c4n4ry-one,x=short',
    OTEL_EXPORTER_OTLP_METRICS_HEADERS: 'api-key=c4n4ry%2Ftwo',
    MAPSCOPE_UI_TOKEN: 'c4n4ry-three',
  };
  const script = `hideSecretsOf(process.env);
    log('warn', 'It said: Bearer c4n4ry-one, c4n4ry-one, c4n4ry/two, c4n4ry%2Ftwo, http://u:c4n4ry@h/?token=c4n4ry-three.');`;
  assert.deepEqual(said(script, env), [
    'mapscope: warning: It said: ***, ***, ***, ***, http://***@h/?token=***.',
  ]);
});
