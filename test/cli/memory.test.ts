import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { jaegerProgram } from '../backends/jaeger.ts';
import { isAttached, startCommand } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { until } from '../support/until.ts';

const run = promisify(execFile);
const LONG = { timeout: 600_000 };

/** In MB. */
function resident(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1000;
}

test('preparing a large program takes less than 300 MB', LONG, async () => {
  const script = fileURLToPath(new URL('fixtures/prepare-and-tell.ts', import.meta.url));
  const { stdout } = await run(process.execPath, [script, await jaegerProgram()]);
  const megabytes = Number(stdout) / 1000;
  assert.ok(megabytes > 30 && megabytes < 300, `${megabytes} MB`);
});

test('the command as it is bundled observes, and stays below 100 MB', LONG, async () => {
  const dir = fileURLToPath(new URL('../services/steady', import.meta.url));
  const service = spawn(await buildGo({ dir, version: 'local' }), ['-rate', '20000', '-duration', '60s'], {
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  const target = ['--pid', String(service.pid)];
  const args = ['attach', ...target, '--mode', 'all', '--format', 'json', '--duration', '5s'];
  const command = startCommand(args);
  command.stderr.pipe(process.stderr);
  try {
    const report = text(command.stdout);
    const pid = command.pid ?? 0;
    // Until then not everything is loaded that it needs for its work.
    await until(
      () => isAttached(pid),
      () => 'not attached',
    );
    await until(
      () => resident(pid) < 100,
      () => `${resident(pid)} MB`,
    );
    assert.equal((await once(command, 'exit'))[0], 0);
    assert.ok(JSON.parse(await report).observed.lookups > 0);
  } finally {
    command.kill('SIGKILL');
    service.kill();
  }
});
