import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import type { CandidateSource } from '../../src/model/candidate.ts';
import { chooseSerializer, createMetricSender } from '../../src/otel/otlp/exporter.ts';
import { SAMPLE_METRICS } from '../../src/otel/otlp/self-check.ts';
import type { ExportRequestMessage } from '../support/otlp-receiver/messages.ts';
import { startReceiver } from '../support/otlp-receiver/receiver.ts';
import { candidate, candidatesOf, KEY_COMPARISONS, PROBE_LENGTH, traceId } from './candidates.ts';
import { grpcEndpoint, startExport, withEnvironment } from './pipeline.ts';

/** Value and trace id of all exemplars in a request, by metric. */
function exemplars(
  request: ExportRequestMessage | undefined,
): Record<string, [number | undefined, string][]> {
  const metrics = (request?.resourceMetrics ?? [])
    .flatMap(({ scopeMetrics }) => scopeMetrics)
    .flatMap((scope) => scope.metrics);
  return Object.fromEntries(
    metrics.flatMap(({ name, histogram, sum, gauge }) => {
      const numbers = [sum, gauge].flatMap((data) => data?.dataPoints ?? []);
      const points = [...(histogram?.dataPoints ?? []), ...numbers];
      const found = points.flatMap((point) => point.exemplars);
      const told = found.map(
        (one) => [one.asDouble, Buffer.from(one.traceId).toString('hex')] as [number | undefined, string],
      );
      return told.length === 0 ? [] : [[name, told]];
    }),
  );
}

test('the serializer that writes exemplars is used when it agrees with the stock one, without a word', () => {
  const said: string[] = [];
  const own = { ...ProtobufMetricsSerializer };
  assert.equal(
    chooseSerializer(own, (_level, sentence) => said.push(sentence)),
    own,
  );
  createMetricSender(grpcEndpoint('http://127.0.0.1:1'), (_level, sentence) => said.push(sentence));
  assert.deepEqual(said, []);
});

test('a serializer that differs, or fails, is replaced by the stock one, with one sentence', () => {
  const others = [
    () => ProtobufMetricsSerializer.serializeRequest({ resource: {} as never, scopeMetrics: [] }),
    () => new Uint8Array(),
    () => undefined,
    () => {
      throw new Error('no such field');
    },
  ];
  for (const serializeRequest of others) {
    const said: [string, string][] = [];
    const chosen = chooseSerializer({ ...ProtobufMetricsSerializer, serializeRequest }, (level, sentence) =>
      said.push([level, sentence]),
    );
    assert.equal(chosen, ProtobufMetricsSerializer);
    assert.equal(said.length, 1);
    assert.equal(said[0]?.[0], 'warn');
    assert.match(
      said[0]?.[1] ?? '',
      /^mapscope sends metrics without exemplars: [^.]*package-lock\.json[^.]*\.$/,
    );
  }
});

test('a flush waits for what is under way', async (context) => {
  const receiver = await startReceiver({ refuse: () => wait(50, undefined) });
  context.after(() => receiver.close());
  const exporter = createMetricSender(grpcEndpoint(receiver.endpoint), () => {});
  context.after(() => exporter.shutdown());
  const results: ExportResult[] = [];
  exporter.export(SAMPLE_METRICS, (result) => results.push(result));
  assert.deepEqual(results, []);
  await exporter.forceFlush();
  assert.deepEqual(results, [{ code: ExportResultCode.SUCCESS }]);
  assert.equal(receiver.summary().requests, 1);
});

test('exemplars reach the receiver, are sent again when refused, and once only when taken', async (context) => {
  for (const temporality of ['cumulative', 'delta']) {
    withEnvironment(context, { OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: temporality });
    const INVALID_ARGUMENT = 3;
    const requests: ExportRequestMessage[] = [];
    const receiver = await startReceiver({
      onRequest: (request) => requests.push(request),
      refuse: (number) => (number === 1 ? { code: INVALID_ARGUMENT, details: 'no' } : undefined),
    });
    context.after(() => receiver.close());
    const { otlp } = startExport(context, {
      endpoint: receiver.endpoint,
      candidates: candidatesOf([candidate({ probeLength: 3 }), candidate()]),
    });
    const delivered = [];
    for (let flush = 1; flush <= 3; flush++) {
      delivered.push((await otlp.flush()).delivered);
    }
    assert.deepEqual(delivered, [false, true, true]);
    const both = {
      [PROBE_LENGTH]: [
        [2, traceId(1)],
        [3, traceId(1)],
      ],
      [KEY_COMPARISONS]: [[1, traceId(1)]],
    };
    assert.deepEqual(requests.map(exemplars), [both, both, {}], temporality);
  }
});

test('the environment can switch exemplars off', async (context) => {
  withEnvironment(context, { OTEL_METRICS_EXEMPLAR_FILTER: 'always_off' });
  const receiver = await startReceiver();
  context.after(() => receiver.close());
  const { otlp } = startExport(context, {
    endpoint: receiver.endpoint,
    candidates: candidatesOf([candidate()]),
  });
  assert.equal((await otlp.flush()).delivered, true);
  assert.ok(receiver.summary().metrics.every((metric) => metric.exemplars === 0));
});

test('a source of candidates that fails costs exemplars only, and is told once', async (context) => {
  const receiver = await startReceiver();
  context.after(() => receiver.close());
  const candidates: CandidateSource = {
    drainCandidates: () => {
      throw new Error('the ring buffer is gone');
    },
  };
  const { otlp, said } = startExport(context, { endpoint: receiver.endpoint, candidates });
  assert.equal((await otlp.flush()).problem, undefined);
  assert.equal((await otlp.flush()).problem, undefined);
  assert.equal(receiver.summary().requests, 2);
  assert.deepEqual(
    said.map(({ sentence }) => sentence),
    ['Exemplars cannot be read: the ring buffer is gone. mapscope sends metrics without them.'],
  );
});
