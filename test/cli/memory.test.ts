import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { jaegerProgram } from '../backends/jaeger.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { ROOT } from './mapscope.ts';

const run = promisify(execFile);
const START = fileURLToPath(new URL('../../src/cli/start.mjs', import.meta.url));
const LONG = { timeout: 600_000 };

/** In MB. */
function resident(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) / 1000;
}

function isAttached(pid: number): boolean {
  const fds = `/proc/${pid}/fd`;
  return readdirSync(fds).some((fd) => {
    try {
      return /bpf.link/.test(readlinkSync(`${fds}/${fd}`));
    } catch {
      return false; // It has been closed meanwhile.
    }
  });
}

/** Waits for something that must become true within some seconds. */
async function until(holds: () => boolean, otherwise: () => string): Promise<void> {
  for (const start = performance.now(); !holds(); await delay(50))
    assert.ok(performance.now() - start < 30_000, otherwise());
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
  const args = [START, 'attach', '--pid', String(service.pid), '--mode', 'all', '--format', 'json'];
  const command = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
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
    command.kill('SIGINT');
    assert.equal((await once(command, 'exit'))[0], 0);
    assert.ok(JSON.parse(await report).observed.lookups > 0);
  } finally {
    command.kill('SIGKILL');
    service.kill();
  }
});
