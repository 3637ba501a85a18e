import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Summary } from '../../src/report/summary/schema.ts';
import { mapscope } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { type Receiver, startReceiver } from '../support/otlp-receiver/receiver.ts';

const LIMIT = { timeout: 120_000 };
const busy = await buildGo({ dir: join(import.meta.dirname, '../services/steady'), version: 'local' });

for (const mode of ['all', 'windows']) {
  for (const temporality of ['cumulative', 'delta']) {
    test(`mode ${mode}, ${temporality}: sums never fall, and end as the report says`, LIMIT, async (t) => {
      const receiver = await startReceiver();
      // Says what was broken on the way.
      t.after(() => receiver.close());
      const args = [
        'run',
        '--mode',
        mode,
        '--format',
        'json',
        '--spikes',
        '1',
        '--otlp-endpoint',
        receiver.endpoint,
      ];
      const { stdout, stderr, status } = await mapscope(
        [...args, '--', busy, '-rate', '0', '-duration', '4s'],
        {
          env: {
            OTEL_METRIC_EXPORT_INTERVAL: '100',
            OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: temporality,
            OTEL_METRICS_EXEMPLAR_FILTER: 'always_on',
          },
        },
      );
      assert.equal(status, 0, stderr);
      const summary: Summary = JSON.parse(stdout.slice(stdout.indexOf('{\n  "schema"')));
      const { requests, metrics } = receiver.summary();
      assert.ok(requests >= 2, `${requests} exports`);
      const total = (name: string) => metrics.find((metric) => metric.name === name)?.totalCount ?? 0;
      assert.equal(total('gomap.lookups'), summary.observed.lookups);
      assert.equal(total('gomap.lookup.probe_length'), summary.observed.lookups);
      const near = (name: string, value: number) =>
        assert.ok(Math.abs(total(name) - value) <= 1e-9 * value, `${name}: ${total(name)}, not ${value}`);
      near('mapscope.overhead.time', summary.overhead.costSeconds);
      near('mapscope.overhead.target.time', summary.overhead.targetCpuSeconds ?? Number.NaN);
      const exemplars = metrics.find(({ name }) => name === 'gomap.lookup.probe_length')?.exemplars ?? 0;
      assert.ok(mode === 'windows' || exemplars > 0, 'there are exemplars, whose times are looked at');
    });
  }
}

test(
  'an export that is under way when the observation ends costs neither the last state nor a sentence',
  LIMIT,
  async (t) => {
    const service = spawn(busy, ['-rate', '20000'], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => service.kill('SIGKILL'));
    await once(service.stdout, 'data');
    const receiver = await startReceiver();
    t.after(() => receiver.close());
    const args = ['--mode', 'all', '--format', 'json', '--otlp-endpoint', receiver.endpoint];
    for (let i = 0; i < 3; i++) {
      const before = lookupsIn(receiver);
      const { stdout, stderr, status } = await mapscope(
        ['attach', ...args, '--duration', '2s', '--pid', String(service.pid)],
        // One follows the other: there always is one.
        {
          env: {
            OTEL_METRIC_EXPORT_INTERVAL: '1',
            OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta',
          },
        },
      );
      assert.deepEqual([status, stderr], [0, '']);
      const { observed }: Summary = JSON.parse(stdout);
      assert.ok(observed.lookups > 1000);
      assert.equal(lookupsIn(receiver) - before, observed.lookups);
    }
  },
);

function lookupsIn(receiver: Receiver): number {
  return receiver.summary().metrics.find(({ name }) => name === 'gomap.lookups')?.totalCount ?? 0;
}
