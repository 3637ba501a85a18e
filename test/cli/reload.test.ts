// SIGHUP to a sidecar: its configuration comes into force as a whole, or not at all.

import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { commandLine } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { type ExportRequestMessage, plainAttributes } from '../support/otlp-receiver/messages.ts';
import { startReceiver } from '../support/otlp-receiver/receiver.ts';
import { until } from '../support/until.ts';
import { Started } from './started.ts';

const LIMIT = { timeout: 180_000 };
/** Only the last exports come: what is received says which observation has ended. */
process.env.OTEL_METRIC_EXPORT_INTERVAL = '600000';
const folder = mkdtempSync(join(tmpdir(), 'mapscope-reload-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const steady = await buildGo({
  dir: fileURLToPath(new URL('../services/steady', import.meta.url)),
  version: 'local',
});

/** A running service under a name of its own. */
function service(name: string): { readonly exe: string; readonly pid: number; end(): Promise<unknown> } {
  const exe = join(folder, `${name}-${process.pid}`);
  copyFileSync(steady, exe);
  const started = new Started(exe, ['-rate', '2000', '-goroutines', '2']);
  return {
    exe,
    pid: started.child.pid ?? 0,
    end: () => {
      started.child.kill('SIGKILL');
      return started.ended();
    },
  };
}

/** Lookups that a receiver was told of, by process, and since when they were counted. */
class Told {
  readonly lookups = new Map<number, number>();
  readonly starts = new Map<number, Set<number>>();

  readonly take = ({ resourceMetrics }: ExportRequestMessage): void => {
    for (const { resource, scopeMetrics } of resourceMetrics) {
      const pid = Number(plainAttributes(resource?.attributes ?? [])['process.pid']);
      const metrics = scopeMetrics.flatMap((scope) => scope.metrics);
      const points = metrics
        .filter(({ name }) => name === 'gomap.lookups')
        .flatMap(({ sum }) => sum?.dataPoints ?? []);
      const total = points.reduce((all, point) => all + (point.asInt ?? point.asDouble ?? 0), 0);
      this.lookups.set(pid, total);
      const starts = this.starts.get(pid) ?? new Set();
      this.starts.set(pid, starts);
      for (const { startTimeUnixNano } of points) {
        starts.add(startTimeUnixNano);
      }
    }
  };
}

async function receiver(t: TestContext) {
  const told = new Told();
  const started = await startReceiver({ onRequest: told.take });
  t.after(() => started.close());
  return { told, endpoint: started.endpoint };
}

function sidecar(...args: readonly string[]): Started {
  const [file, ...rest] = commandLine('sidecar', ...args);
  return new Started(file, rest);
}

/** What it says next, after a signal. */
async function hangUp(command: Started, expected: string): Promise<string> {
  const before = command.text.length;
  command.child.kill('SIGHUP');
  await until(
    () => command.text.slice(before).includes(expected),
    () => `${expected}: ${command.text}`,
  );
  return command.text.slice(before);
}

test('SIGHUP: all of a configuration or nothing', LIMIT, async (t) => {
  const [first, second] = [service('first'), service('second')];
  const [one, other] = [await receiver(t), await receiver(t)];
  const config = join(folder, 'mapscope.yaml');
  const write = (more: string, endpoint = one.endpoint, exe = first.exe) =>
    writeFileSync(
      config,
      `version: 1\nmode: all\notlpEndpoint: ${endpoint}\ntargets:\n  - include: { exe: ${exe} }\n${more}`,
    );
  write('');
  const command = sidecar('--config', config);
  const observed = ({ pid, exe }: typeof first) => `Process ${pid} (${exe}) is observed.`;
  await command.says(observed(first));

  // What is wrong changes nothing, even where the rest of it would.
  write('budget: 200%\nduratoin: 1s\n', one.endpoint, second.exe);
  const refused = await hangUp(command, 'nothing is changed');
  assert.match(
    refused,
    /^mapscope: warning: \S+ is not taken over, and nothing is changed: \S+:6:1: budget must be .* \(1 more: [^\n]*\)\n$/,
  );
  writeFileSync(config, '');
  assert.match(await hangUp(command, 'nothing is changed'), /No rule includes a process/);
  write('otlpLogsEndpoint: grpc://x\n');
  await hangUp(command, 'nothing is changed');
  write('ui: 127.0.0.1:0\nbudget: 2%\n', one.endpoint, second.exe);
  assert.match(
    await hangUp(command, 'not taken over'),
    /ui cannot be changed while mapscope runs; start it anew\.\n$/,
  );
  assert.equal(command.text.split('is observed').length, 2, command.text);

  // One leaves, with its last export, and another one comes.
  write('', one.endpoint, second.exe);
  assert.match(await hangUp(command, 'is in force'), /is in force: 1 process no longer observed\.\n/);
  assert.ok(command.text.includes(`Process ${first.pid} is observed no longer: no rule`), command.text);
  await command.says(observed(second));
  await until(() => (one.told.lookups.get(first.pid) ?? 0) > 0, 'the last export of the first has come');

  // A budget changes where it is; counts go on.
  write('budget: 2%\n', one.endpoint, second.exe);
  const changed = await hangUp(command, 'is in force');
  assert.match(changed, /^mapscope: \S+ is in force: other budget, nodeBudget\.\n$/);
  assert.equal(one.told.lookups.get(second.pid), undefined);

  // Another receiver takes another observation: what was counted goes to the one before.
  write('budget: 2%\n', other.endpoint, second.exe);
  const anew = await hangUp(command, 'is in force');
  assert.match(anew, /other otlpEndpoint; 1 process observed anew, with counts from 0\.\n/);
  await until(
    () => command.text.split(observed(second)).length === 3,
    () => command.text,
  );
  await until(() => (one.told.lookups.get(second.pid) ?? 0) > 0, 'the last export to the one has come');
  assert.equal(one.told.starts.get(second.pid)?.size, 1);

  command.child.kill('SIGTERM');
  assert.equal(await command.ended(), 0, command.text);
  assert.ok(other.told.lookups.has(second.pid), command.text);
  assert.match(command.text, /mapscope has observed 2 processes\.\n$/);
  await Promise.all([first.end(), second.end()]);
});

test(
  'attach --wait without a terminal takes another configuration over, but not for its report',
  LIMIT,
  async () => {
    const [first, second] = [service('attached'), service('attached-later')];
    const config = join(folder, 'attach.yaml');
    const write = (exe: string, more = '') =>
      writeFileSync(config, `format: json\ntargets:\n  - include: { exe: ${exe} }\n${more}`);
    write(first.exe);
    const command = new Started('setsid', commandLine('attach', '--wait', '--config', config));
    await command.says(`Process ${first.pid} (${first.exe}) is observed.`);
    write(second.exe, 'mode: all\nformat: table\n');
    await hangUp(command, 'nothing is changed');
    write(second.exe, 'mode: all\n');
    assert.match(await hangUp(command, 'not taken over'), /mode cannot be changed while mapscope runs/);
    write(second.exe);
    await hangUp(command, 'is in force: 1 process no longer observed.');
    await command.says(`Process ${second.pid} (${second.exe}) is observed.`);
    command.child.kill('SIGTERM');
    assert.equal(await command.ended(), 0, command.text);
    const { targets } = JSON.parse(command.text.slice(command.text.indexOf('{\n')));
    assert.deepEqual(
      targets.map(({ target }: { target: { pid: number } }) => target.pid),
      [first.pid, second.pid],
    );
    await Promise.all([first.end(), second.end()]);
  },
);

test('with logFormat: json each line is a document, and SIGHUP changes that, too', LIMIT, async () => {
  const config = join(folder, 'json.yaml');
  const write = (more: string) =>
    writeFileSync(config, `targets:\n  - include: { exe: no-such-${process.pid} }\n${more}`);
  write('logFormat: json\n');
  const command = sidecar('--config', config);
  await command.says('mapscope waits');
  write('logFormat: json\nnodeBudget: 3%\n');
  await hangUp(command, 'other nodeBudget');
  for (const line of command.text.trimEnd().split('\n')) {
    const { level, message, ...rest } = JSON.parse(line);
    assert.ok(['info', 'warn'].includes(level) && message.length > 0, line);
    assert.deepEqual(Object.keys(rest), ['time']);
  }
  write('nodeBudget: 3%\n');
  assert.match(await hangUp(command, 'other logFormat'), /^mapscope: /);
  command.child.kill('SIGTERM');
  assert.equal(await command.ended(), 0, command.text);
});

test('SIGHUP ends a sidecar that has no configuration', LIMIT, async () => {
  const command = sidecar('--exe', `no-such-${process.pid}`);
  await command.says('mapscope waits');
  command.child.kill('SIGHUP');
  assert.equal(await command.ended(), 0, command.text);
});
