import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { jaegerProgram } from '../backends/jaeger.ts';
import { memory } from '../bench/processes.ts';
import { buildSeriesService, startSeriesService } from '../bench/seriesservice.ts';
import { isAttached, startCommand } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { startReceiver } from '../support/otlp-receiver/receiver.ts';
import { until } from '../support/until.ts';

const run = promisify(execFile);
const LONG = { timeout: 600_000 };

/** What a target of whatever size may take, in MB. */
const MOST_MEGABYTES = 120;

test('preparing a large program takes less than 300 MB', LONG, async () => {
  const script = fileURLToPath(new URL('fixtures/prepare-and-tell.ts', import.meta.url));
  const { stdout } = await run(process.execPath, [script, await jaegerProgram()]);
  const megabytes = Number(stdout) / 1000;
  assert.ok(megabytes > 30 && megabytes < 300, `${megabytes} MB`);
});

test('the command as it is bundled observes, and stays below 70 MB', LONG, async () => {
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
      () => memory(pid).resident < 70,
      () => `${memory(pid).resident} MB`,
    );
    assert.equal((await once(command, 'exit'))[0], 0);
    assert.ok(JSON.parse(await report).observed.lookups > 0);
  } finally {
    command.kill('SIGKILL');
    service.kill();
  }
});

test(
  'with 6,000 call sites, and an export of them every two seconds, it stays below 120 MB',
  LONG,
  async () => {
    const service = await startSeriesService(await buildSeriesService(), 12_000, 0.5);
    const receiver = await startReceiver();
    const target = ['--pid', String(service.pid), '--otlp-endpoint', receiver.endpoint];
    const command = startCommand(['attach', ...target, '--duration', '600s', '--format', 'json'], {
      OTEL_METRIC_EXPORT_INTERVAL: '2000',
    });
    command.stderr.pipe(process.stderr);
    const seen = () => receiver.summary().metrics.find(({ name }) => name === 'gomap.lookups')?.points ?? 0;
    try {
      await until(
        () => seen() > 900,
        () => `${seen()} series`,
        300_000,
      );
      const { requests } = receiver.summary();
      await until(
        () => receiver.summary().requests > requests + 40,
        () => `${receiver.summary().requests} requests`,
        300_000,
      );
      const { peak } = memory(command.pid ?? 0);
      assert.ok(peak < MOST_MEGABYTES, `${peak} MB at most`);
    } finally {
      command.kill('SIGKILL');
      service.kill('SIGKILL');
      await receiver.close();
    }
  },
);
