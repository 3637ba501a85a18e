import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { addon } from '../../src/kernel/addon.ts';
import type { Summary } from '../../src/report/summary/schema.ts';
import { isAttached, mapscope, startCommand, summaryOf } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { until } from '../support/until.ts';

const LIMIT = { timeout: 120_000 };
const busy = await buildGo({ dir: join(import.meta.dirname, '../services/steady'), version: 'local' });
const BUSY_ARGS = ['-rate', '0', '-goroutines', '2', '-duration', '2s'];
const ALL = ['--mode', 'all', '--format', 'json'];

/** Hits are most of what such a program does in mode all, and the report says so. */
function checkCost({ overhead }: Summary): void {
  const { share, costSeconds, targetCpuSeconds, hits, decodedHits } = overhead;
  assert.ok(targetCpuSeconds !== null && targetCpuSeconds > 0.01, `${targetCpuSeconds} s of CPU time`);
  assert.ok(share !== null && share > 0.1 && share < 1.5, `a share of ${share}`);
  assert.equal(share, costSeconds / targetCpuSeconds);
  const each = costSeconds / hits;
  const measured = overhead.trapSeconds + (overhead.decodeSeconds * decodedHits) / hits;
  assert.equal(overhead.margin.toFixed(2), '0.20');
  // Prices wander while the target runs; the margin is on top of what is printed.
  assert.ok(each > 0.6 * measured && each < 2.5 * measured, `${each} s, but measured ${measured} s`);
  assert.ok(overhead.attachedSeconds <= 60);
}

test('mode all says what it cost a program that it started, which has ended', LIMIT, async () => {
  const summary = await summaryOf(['run', ...ALL, '--', busy, ...BUSY_ARGS]);
  checkCost(summary);
  assert.ok(summary.overhead.attachedSeconds <= summary.observed.seconds);
});

test('the same of a process that ends while it is observed', LIMIT, async (t) => {
  const pid = await unreaped(t);
  const command = startCommand(['attach', '--pid', `${pid}`, ...ALL]);
  command.stderr.pipe(process.stderr);
  t.after(() => command.kill('SIGKILL'));
  const report = text(command.stdout);
  await until(() => isAttached(command.pid ?? 0), 'probes are attached');
  const before = addon.cpuSeconds(pid);
  await until(() => addon.cpuSeconds(pid) > before + 1, 'the process has used a second of CPU time');
  process.kill(pid, 'SIGTERM');
  checkCost(JSON.parse(await report));
});

test('and in the table, with the margin by name', LIMIT, async () => {
  const { stdout } = await mapscope(['run', '--mode', 'all', '--', busy, ...BUSY_ARGS]);
  const line =
    /^Cost: about (\S+) % of the target's CPU time, [\d.]+ m?s \(no limit in mode all\): .* µs each, .* 20 % on both for caches\.$/m;
  assert.ok(Number(line.exec(stdout)?.[1]) > 10, stdout);
});

test(
  'how many lookups a program makes that does nothing else is between the two ends that are told',
  LIMIT,
  async () => {
    const args = ['run', '--format', 'json', '--', busy, '-rate', '0', '-goroutines', '2', '-duration', '8s'];
    const { stdout } = await mapscope(args);
    const report = stdout.indexOf('{\n  "schema"');
    const { observed, overhead }: Summary = JSON.parse(stdout.slice(report));
    const truth = Number(/lookups (\d+)/.exec(stdout.slice(0, report))?.[1]);
    const { underestimate, relativeError } = overhead;
    assert.ok(underestimate !== null && relativeError !== null, `${overhead.windows} windows`);
    assert.ok(underestimate > 0.5, `${underestimate}: most of a window goes into hits`);
    // Without end where there is no telling.
    const most = observed.estimatedLookups / (1 - underestimate);
    // Each end has the error of the sample, which is told apart from it.
    assert.ok(
      observed.estimatedLookups < truth && most * (1 + 3 * relativeError) > truth,
      `${observed.estimatedLookups} to ${most}, really ${truth}`,
    );
  },
);

/** Starts one whose parent takes no note of its end, so that its CPU clock can be read after it. */
async function unreaped(t: TestContext): Promise<number> {
  const args = ['-c', '"$@" & echo $!; exec sleep 600', 'sh', busy, '-rate', '0', '-goroutines', '2'];
  const parent = spawn('sh', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(parent.stdout, 'data');
  const pid = Number.parseInt(`${line}`, 10);
  t.after(() => {
    process.kill(pid, 'SIGKILL');
    parent.kill('SIGKILL');
  });
  return pid;
}
