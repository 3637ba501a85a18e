// Both protocols do the same, as far as a user can see.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { callSite, snapshot } from '../model/fixtures.ts';
import { startHttpReceiver } from '../support/otlp-receiver/http-receiver.ts';
import { type Receiver, type ReceiverOptions, startReceiver } from '../support/otlp-receiver/receiver.ts';
import { startExport, withEnvironment } from './pipeline.ts';

const LIMIT = { timeout: 60_000 };
const UNAVAILABLE = 14;
const PROTOCOL = 'OTEL_EXPORTER_OTLP_PROTOCOL';

const PROTOCOLS = [
  ['grpc', startReceiver],
  ['http/protobuf', startHttpReceiver],
] as const;

async function started(
  context: TestContext,
  protocol: string,
  start: (options: ReceiverOptions) => Promise<Receiver>,
  options: ReceiverOptions = {},
): Promise<Receiver> {
  withEnvironment(context, { [PROTOCOL]: protocol });
  const receiver = await start(options);
  context.after(() => receiver.close().catch(() => {}));
  return receiver;
}

function lookups(receiver: Receiver): number | undefined {
  return receiver.summary().metrics.find(({ name }) => name === 'gomap.lookups')?.totalCount;
}

const sites = (count: number, type: (index: number) => string = () => 'map[string]int') =>
  Array.from({ length: count }, (_, index) =>
    callSite(2, {
      callSite: { function: 'main.f', file: '/src/f.go', line: index + 1 },
      type: type(index),
    }),
  );

for (const [protocol, start] of PROTOCOLS) {
  test(`${protocol}: metrics, headers and compression`, LIMIT, async (context) => {
    const headers: Readonly<Record<string, unknown>>[] = [];
    const receiver = await started(context, protocol, start, { onRequest: (_, sent) => headers.push(sent) });
    withEnvironment(context, {
      OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=shops',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    });
    const { otlp, said } = startExport(context, { endpoint: receiver.endpoint });
    assert.deepEqual([(await otlp.flush()).problem, (await otlp.flush()).problem], [undefined, undefined]);
    assert.equal(lookups(receiver), 22);
    assert.equal(headers[1]?.['x-tenant'], 'shops');
    assert.match(String(headers[0]?.['user-agent']), /^mapscope\/\d/);
    if (protocol !== 'grpc') {
      assert.equal(headers[0]?.['content-encoding'], 'gzip');
    }
    assert.deepEqual(said, []);
  });

  test(`${protocol}: what is refused for a while is sent again`, LIMIT, async (context) => {
    const receiver = await started(context, protocol, start, {
      refuse: (number) => (number <= 2 ? { code: UNAVAILABLE, details: 'starting' } : undefined),
    });
    const { otlp } = startExport(context, {
      endpoint: receiver.endpoint,
      retry: { initialDelayMillis: 5, maxDelayMillis: 20 },
    });
    assert.equal((await otlp.flush()).delivered, true);
    assert.equal(receiver.summary().requests, 1);
  });

  for (const [limit, mostBytes] of [
    ['small', 64 * 1024],
    ['usual', 4 * 1024 * 1024],
  ] as const) {
    test(
      `${protocol}: requests become as small as a receiver with a ${limit} limit needs`,
      LIMIT,
      async (context) => {
        const receiver = await started(context, protocol, start, { mostBytes });
        const source = () =>
          snapshot(sites(mostBytes < 2 ** 20 ? 500 : 1100, (index) => `map[${'K'.repeat(2400)}${index}]int`));
        const { otlp, said } = startExport(context, { endpoint: receiver.endpoint, source });
        for (let flush = 1; flush <= 2; flush++) {
          assert.equal((await otlp.flush(30_000)).problem, undefined);
        }
        assert.equal(lookups(receiver), 2 * source().callSites.length);
        assert.deepEqual([said, otlp.totals.failed], [[], 0]);
      },
    );
  }

  test(
    `${protocol}: a data point that is too large alone is told, and costs no other`,
    LIMIT,
    async (context) => {
      const receiver = await started(context, protocol, start, { mostBytes: 2500 });
      const source = () =>
        snapshot(sites(2, (index) => (index === 0 ? `map[${'K'.repeat(4000)}]int` : 'map[int]int')));
      const { otlp, said } = startExport(context, { endpoint: receiver.endpoint, source });
      await otlp.flush(30_000);
      assert.ok((lookups(receiver) ?? 0) >= 2);
      const [told] = said.filter(({ level }) => level === 'warn');
      assert.match(told?.sentence ?? '', /: one of the data points alone is too large for it \(/);
    },
  );

  test(
    `${protocol}: what a receiver does not take of a request is counted and told once`,
    LIMIT,
    async (context) => {
      const partialSuccess = { rejectedDataPoints: 3, errorMessage: 'delta temporality is not supported' };
      const receiver = await started(context, protocol, start, { answer: () => ({ partialSuccess }) });
      const { otlp, said } = startExport(context, { endpoint: receiver.endpoint });
      const result = await otlp.flush();
      await otlp.flush();
      const words = 'it says: delta temporality is not supported.';
      assert.deepEqual(
        said.map(({ sentence }) => sentence),
        [
          `${receiver.endpoint} does not take 3 data points of a request that it accepts; ${words} ` +
            'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE chooses the temporality.',
        ],
      );
      assert.equal(result.problem, `${receiver.endpoint} did not take 3 data points; ${words}`);
      assert.deepEqual([otlp.totals.rejected, otlp.totals.failed], [6, 0]);
      const rejected = receiver.summary().metrics.find(({ name }) => name === 'mapscope.points.rejected');
      assert.equal(rejected?.totalCount, 3, 'those of the first request');
    },
  );

  test(`${protocol}: data is back within seconds after an outage`, { timeout: 120_000 }, async (context) => {
    const before = await started(context, protocol, start);
    startExport(context, { endpoint: before.endpoint, intervalMillis: 500 });
    await before.until(({ requests }) => requests >= 1);
    await before.close();
    // Longer than it takes a back-off that doubles to reach its largest.
    await new Promise((resolve) => setTimeout(resolve, 12_000));
    const after = await start({ port: before.port });
    context.after(() => after.close());
    const began = performance.now();
    await after.until(({ requests }) => requests >= 1);
    assert.ok(performance.now() - began < 5000, `${performance.now() - began} ms`);
  });

  test(`${protocol}: the end delivers although the receiver was away until then`, LIMIT, async (context) => {
    const before = await started(context, protocol, start);
    const { shutdown } = startExport(context, { endpoint: before.endpoint, intervalMillis: 100 });
    await before.until(({ requests }) => requests >= 1);
    await before.close();
    await new Promise((resolve) => setTimeout(resolve, 4000));
    const after = await start({ port: before.port });
    context.after(() => after.close());
    assert.equal((await shutdown()).problem, undefined);
    assert.ok((lookups(after) ?? 0) > 0);
  });
}
