// Connections that end in ways other than a refusal, and collections that fail: nothing stays wrong for ever.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { callSite, snapshot } from '../model/fixtures.ts';
import { startHttpReceiver } from '../support/otlp-receiver/http-receiver.ts';
import { startReceiver } from '../support/otlp-receiver/receiver.ts';
import { until } from '../support/until.ts';
import { growingObservation, startExport, withEnvironment } from './pipeline.ts';

const LIMIT = { timeout: 60_000 };

/** A way to a receiver that can be made to swallow all, as a firewall does that has forgotten a connection. */
async function startWay(context: TestContext, to: number) {
  const sockets = new Set<Socket>();
  let deaf: readonly Socket[] = [];
  const server = createServer((socket) => {
    const onward = connect(to, '127.0.0.1');
    sockets.add(socket);
    for (const [from, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      from.on('data', (data) => (deaf.includes(socket) ? undefined : other.write(data)));
      from.on('error', () => {});
      from.on('close', () => (deaf.includes(socket) ? undefined : other.destroy()));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.close();
    for (const socket of sockets) {
      socket.destroy();
    }
  });
  return {
    port: (server.address() as AddressInfo).port,
    /** Connections so far lead nowhere from now on, and nobody says so. */
    swallow: () => {
      deaf = [...sockets];
    },
  };
}

for (const [protocol, start] of [
  ['grpc', startReceiver],
  ['http/protobuf', startHttpReceiver],
] as const) {
  test(`${protocol}: a connection that leads nowhere is noticed and replaced`, LIMIT, async (context) => {
    withEnvironment(context, {
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      // Ten seconds otherwise.
      OTEL_EXPORTER_OTLP_TIMEOUT: '1000',
    });
    const receiver = await start();
    context.after(() => receiver.close());
    const way = await startWay(context, receiver.port);
    const { otlp } = startExport(context, { endpoint: `http://127.0.0.1:${way.port}` });
    assert.equal((await otlp.flush()).problem, undefined);
    way.swallow();
    const began = performance.now();
    assert.equal((await otlp.flush(15_000)).problem, undefined);
    assert.ok(performance.now() - began < 10_000);
    assert.equal(receiver.summary().requests, 2);
  });

  test(
    `${protocol}: the last state comes first at the end, although an export hangs`,
    LIMIT,
    async (context) => {
      withEnvironment(context, { OTEL_EXPORTER_OTLP_PROTOCOL: protocol });
      const receiver = await start();
      context.after(() => receiver.close());
      const way = await startWay(context, receiver.port);
      const { otlp, shutdown } = startExport(context, {
        endpoint: `http://127.0.0.1:${way.port}`,
        intervalMillis: 100,
      });
      await receiver.until(({ requests }) => requests >= 1);
      way.swallow();
      const { requests } = receiver.summary();
      await new Promise((resolve) => setTimeout(resolve, 500));
      const result = await shutdown();
      assert.equal(result.problem, undefined);
      assert.ok(result.items > 0);
      assert.ok(receiver.summary().requests > requests || otlp.totals.exported > requests);
    },
  );

  test(
    `${protocol}: a collection that fails is told once, counted, and over when one succeeds`,
    LIMIT,
    async (context) => {
      withEnvironment(context, { OTEL_EXPORTER_OTLP_PROTOCOL: protocol });
      const receiver = await start();
      context.after(() => receiver.close());
      let reads = 0;
      const works = growingObservation();
      const { otlp, said } = startExport(context, {
        endpoint: receiver.endpoint,
        intervalMillis: 20,
        source: () => {
          reads++;
          if (reads > 1 && reads <= 5) {
            throw new Error('the kernel map is gone');
          }
          return works();
        },
      });
      await until(() => said.length >= 2, 'the end is told');
      const { requests } = receiver.summary();
      const summary = await receiver.until((later) => later.requests > requests);
      assert.deepEqual(said.map(({ sentence }) => sentence).slice(0, 2), [
        'There are no metrics to send: the kernel map is gone. mapscope keeps trying.',
        'There are metrics to send again.',
      ]);
      assert.equal(otlp.totals.failed, 4);
      const failed = summary.metrics.find(({ name }) => name === 'mapscope.exports.failed');
      assert.equal(failed?.totalCount, 4);
    },
  );
}

test('gRPC: a receiver that says good-bye is left and found again', LIMIT, async (context) => {
  const before = await startReceiver();
  const source = () => snapshot([callSite(3)]);
  const { otlp, said } = startExport(context, { endpoint: before.endpoint, source });
  assert.equal((await otlp.flush()).problem, undefined);
  // A server that shuts down sends GOAWAY.
  await before.close();
  const after = await startReceiver({ port: before.port });
  context.after(() => after.close());
  assert.equal((await otlp.flush()).problem, undefined);
  assert.equal(after.summary().requests, 1);
  assert.deepEqual(said, []);
});
