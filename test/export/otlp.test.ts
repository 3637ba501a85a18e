import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { OtlpExport } from '../../src/otel/metrics/export.ts';
import { targetResource } from '../../src/otel/resource/resource.ts';
import { callSite, snapshot, TARGET } from '../model/fixtures.ts';
import { type Receiver, type ReceiverOptions, startReceiver } from '../support/otlp-receiver/receiver.ts';
import type { ReceivedSummary } from '../support/otlp-receiver/summary.ts';
import { growingObservation, inEnvironment, startExport, withEnvironment } from './pipeline.ts';

const UNAVAILABLE = 14;
const FAST_RETRY = { initialDelayMillis: 5, maxDelayMillis: 20, jitter: 0 };

async function receiver(context: TestContext, options: ReceiverOptions = {}): Promise<Receiver> {
  const started = await startReceiver(options);
  context.after(() => started.close());
  return started;
}

function totalOf(summary: ReceivedSummary, name: string): number | undefined {
  return summary.metrics.find((metric) => metric.name === name)?.totalCount;
}

test('without an endpoint there is no export', () => {
  const said: string[] = [];
  const create = (): OtlpExport | undefined =>
    OtlpExport.create({
      source: () => undefined,
      mapImplementation: 'swiss',
      resource: targetResource(TARGET),
      log: (_level, sentence) => said.push(sentence),
    });
  assert.equal(inEnvironment({}, create), undefined);
  assert.deepEqual(said, []);
  assert.equal(inEnvironment({ OTEL_SDK_DISABLED: 'yes' }, create), undefined);
  assert.match(said.join(), /OTEL_SDK_DISABLED, expected 'true' or 'false'/);
});

test('a flush delivers the present state, told as the target', async (context) => {
  const there = await receiver(context);
  const { otlp, said } = startExport(context, { endpoint: there.endpoint });
  const result = await otlp.flush();
  assert.equal(result.delivered, true);
  const summary = there.summary();
  assert.equal(
    result.items,
    summary.metrics.reduce((sum, { points }) => sum + points, 0),
  );
  assert.equal(summary.resource['service.name'], 'shop');
  assert.equal(summary.resource['process.pid'], 4711);
  assert.equal(totalOf(summary, 'gomap.lookups'), 11);
  assert.deepEqual(
    summary.metrics.find(({ name }) => name === 'gomap.lookup.probe_length'),
    {
      name: 'gomap.lookup.probe_length',
      unit: '{bucket}',
      kind: 'histogram',
      temporality: 'CUMULATIVE',
      scope: 'mapscope',
      points: 2,
      totalCount: 11,
      exemplars: 0,
    },
  );
  await otlp.flush();
  assert.equal(totalOf(there.summary(), 'gomap.lookups'), 22);
  assert.deepEqual(said, []);
});

test('exports go on by themselves', async (context) => {
  const there = await receiver(context);
  startExport(context, { endpoint: there.endpoint, intervalMillis: 20 });
  const summary = await there.until(({ requests }) => requests >= 3);
  assert.ok((totalOf(summary, 'gomap.lookups') ?? 0) >= 33);
});

test('a receiver slower than the interval gets everything, the last state included', async (context) => {
  const there = await receiver(context, { refuse: () => wait(100, undefined) });
  const { otlp, shutdown, said } = startExport(context, { endpoint: there.endpoint, intervalMillis: 10 });
  await there.until(({ requests }) => requests === 2);
  const result = await shutdown();
  assert.equal(result.problem, undefined);
  const { requests, metrics } = there.summary();
  assert.equal(otlp.totals.exported, requests);
  assert.equal(metrics.find(({ name }) => name === 'gomap.lookups')?.totalCount, 11 * requests);
  assert.deepEqual(said, []);
});

test('shutdown delivers the last state', async (context) => {
  const there = await receiver(context);
  const { shutdown } = startExport(context, { endpoint: there.endpoint });
  const result = await shutdown();
  assert.equal(result.delivered, true);
  assert.equal(totalOf(there.summary(), 'gomap.lookups'), 11);
});

test('endpoint and headers come from the environment', async (context) => {
  const headers: Readonly<Record<string, unknown>>[] = [];
  const there = await receiver(context, { onRequest: (_request, sent) => headers.push(sent) });
  withEnvironment(context, {
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: there.endpoint,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=shops,x-odd=a%20b',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
  });
  const { otlp } = startExport(context);
  assert.equal(otlp.endpoint, there.endpoint);
  assert.equal((await otlp.flush()).delivered, true);
  assert.equal(headers[0]?.['x-tenant'], 'shops');
  assert.equal(headers[0]?.['x-odd'], 'a b');
});

test('a refused export is tried again within its time', async (context) => {
  const there = await receiver(context, {
    refuse: (number) => (number <= 3 ? { code: UNAVAILABLE, details: 'starting' } : undefined),
  });
  const { otlp, said } = startExport(context, { endpoint: there.endpoint, retry: FAST_RETRY });
  const result = await otlp.flush();
  assert.equal(result.delivered, true);
  assert.equal(there.summary().requests, 1);
  assert.deepEqual(otlp.totals, {
    exported: 1,
    failed: 0,
    items: result.items,
    rejected: 0,
    uncertain: 0,
  });
  assert.deepEqual(said, []);
});

test('a receiver that is not there: each flush says so in time, the log says it once', {
  timeout: 60_000,
}, async (context) => {
  const { port, close } = await startReceiver();
  await close();
  const endpoint = `http://127.0.0.1:${port}`;
  const { otlp, said } = startExport(context, { endpoint, retry: { ...FAST_RETRY, timeoutMillis: 2000 } });
  for (let flush = 1; flush <= 3; flush++) {
    const result = await otlp.flush();
    assert.equal(result.delivered, false);
    assert.equal(result.items, 0);
    assert.match(
      result.problem ?? '',
      /^Metrics do not reach http:\/\/127\.0\.0\.1:\d+: it cannot be reached \(connect ECONNREFUSED [\d.:]+\)\.$/,
    );
    assert.equal(otlp.totals.failed, flush);
  }
  assert.equal(said.length, 1);
  assert.equal(said[0]?.level, 'warn');

  const late = await receiver(context, { port });
  // The gRPC channel waits up to a second of its own before it connects again.
  while (!(await otlp.flush()).delivered) {}
  assert.equal(said.length, 2);
  assert.match(said[1]?.sentence ?? '', /again, after \d+ failed exports/);
  assert.equal(totalOf(late.summary(), 'mapscope.exports.failed'), otlp.totals.failed);
});

test('a receiver that accepts connections and never answers cannot hold up the end', async (context) => {
  const silent = createServer((socket) => context.after(() => socket.destroy()));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  context.after(() => silent.close());
  const address = silent.address();
  assert.ok(typeof address === 'object' && address !== null);
  const { otlp, shutdown } = startExport(context, { endpoint: `http://127.0.0.1:${address.port}` });
  for (const result of [await otlp.flush(150), await shutdown(300)]) {
    assert.equal(result.delivered, false);
    assert.match(result.problem ?? '', /Metrics do not reach/);
  }
});

test('delta exports add up at the receiver, although some fail', async (context) => {
  withEnvironment(context, { OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta' });
  const INVALID_ARGUMENT = 3;
  const there = await receiver(context, {
    refuse: (number) => (number % 2 === 0 ? { code: INVALID_ARGUMENT, details: 'no' } : undefined),
  });
  const { otlp } = startExport(context, { endpoint: there.endpoint });
  const delivered: boolean[] = [];
  for (let flush = 1; flush <= 5; flush++) {
    delivered.push((await otlp.flush()).delivered);
  }
  assert.deepEqual(delivered, [true, false, true, false, true]);
  const summary = there.summary();
  assert.equal(totalOf(summary, 'gomap.lookups'), 55);
  assert.equal(totalOf(summary, 'gomap.lookup.key_comparisons'), 55);
  assert.equal(totalOf(summary, 'mapscope.hits'), 58);
  assert.equal(totalOf(summary, 'mapscope.attached.time'), 5);
  assert.equal(summary.metrics.find(({ name }) => name === 'gomap.lookups')?.temporality, 'DELTA');
});

test('many series are sent in requests of a bounded size', async (context) => {
  const there = await receiver(context);
  const sites = Array.from({ length: 500 }, (_, line) =>
    callSite(2, { callSite: { function: 'main.f', file: '/src/f.go', line: line + 1 } }),
  );
  const { otlp } = startExport(context, { endpoint: there.endpoint, source: () => snapshot(sites) });
  const result = await otlp.flush();
  assert.equal(result.delivered, true);
  assert.ok(result.items > 4000);
  assert.equal(there.summary().requests, Math.ceil(result.items / 1000));
  assert.equal(totalOf(there.summary(), 'gomap.lookups'), 1000);
});

test('a source that fails is told with the flush', async (context) => {
  const there = await receiver(context);
  const { otlp } = startExport(context, {
    endpoint: there.endpoint,
    source: () => {
      throw new Error('the kernel map is gone');
    },
  });
  const result = await otlp.flush();
  assert.equal(result.delivered, false);
  assert.match(result.problem ?? '', /no metrics to send.*the kernel map is gone/);
});

test('an observation that has not begun is no failure', async (context) => {
  const there = await receiver(context);
  const { otlp } = startExport(context, { endpoint: there.endpoint, source: () => undefined });
  assert.deepEqual(await otlp.flush(), { delivered: true, items: 0 });
});

test('what the OpenTelemetry libraries warn of is said once', async (context) => {
  withEnvironment(context, { OTEL_EXPORTER_OTLP_TIMEOUT: '-5' });
  const there = await receiver(context);
  const { said } = startExport(context, { endpoint: there.endpoint, source: growingObservation() });
  assert.equal(said.filter(({ sentence }) => sentence.includes('OTEL_EXPORTER_OTLP_TIMEOUT')).length, 1);
});
