// A program that runs on when the time is over for which it was to be observed: it is told of, let alone, and waited for.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { buildGo } from '../support/go-toolchains.ts';
import { until } from '../support/until.ts';
import { mapscope } from './started.ts';

const LIMIT = { timeout: 120_000 };
const folder = mkdtempSync(join(tmpdir(), 'mapscope-duration-'));
after(() => rmSync(folder, { recursive: true }));

/** It ends half a second after a signal, and never without one. */
const service = await buildGo({
  dir: fileURLToPath(new URL('../services/signals', import.meta.url)),
  version: 'local',
});

const SECOND = ['--duration', '1s', '--format', 'json'];
const RUNS_ON = `mapscope: ${service} runs on, and nothing of it is observed any more.`;

for (const verb of ['run', 'verify']) {
  test(`${verb}: a report on stdout follows when the program has ended`, LIMIT, async () => {
    const command = mapscope(verb, ...SECOND, '--', service);
    await command.says(`${RUNS_ON} The report follows when it ends.`);
    assert.equal(command.text.includes('"schema"'), false);
    assert.equal(command.text.includes('received'), false, 'nobody ends the program');
    command.child.kill('SIGTERM');
    assert.equal(await command.ended(), 0);
    const [said = '', report = ''] = command.text.split(/^(?={$)/m);
    assert.match(said, /received terminated\nover\n$/);
    assert.equal(JSON.parse(report).target.exitCode, 0);
  });

  test(`${verb}: a report in a file does not wait for that`, LIMIT, async () => {
    const output = join(folder, `${verb}.json`);
    const command = mapscope(verb, ...SECOND, '--output', output, '--', service);
    await command.says(`${RUNS_ON} The report goes to ${output} now.`);
    await until(() => existsSync(output), 'the report is written');
    const { target } = JSON.parse(readFileSync(output, 'utf8'));
    assert.equal(target.exitCode, null, 'it has not ended');
    assert.equal(command.child.exitCode, null, 'and mapscope waits for it');
    command.child.kill('SIGTERM');
    assert.equal(await command.ended(), 0);
    assert.match(command.text, /received terminated\nover\n$/);
  });
}
