import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HrTime, ValueType } from '@opentelemetry/api';
import { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { emptyResource } from '@opentelemetry/resources';
import { AggregationTemporality, DataPointType, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import fc from 'fast-check';
import type { Exemplar, Point } from '../../src/otel/metrics/points.ts';
import { serializeMetrics } from '../../src/otel/otlp/request.ts';
import { BackwardWriter } from '../../src/otel/otlp/writer.ts';
import { type DecodedExemplar, decode, decodedPoints } from './decode.ts';
import { resourceMetrics } from './metrics-arbitrary.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const TIME: HrTime = [1_790_000_009, 500];

function stockBytes(metrics: ResourceMetrics): Uint8Array {
  const bytes = ProtobufMetricsSerializer.serializeRequest(metrics);
  assert.ok(bytes !== undefined);
  return bytes;
}

/** One metric with one point that has these exemplars. */
function withExemplars(exemplars: Exemplar[]): ResourceMetrics {
  const dataPoint = { startTime: TIME, endTime: TIME, attributes: {}, value: 1, exemplars };
  return {
    resource: emptyResource(),
    scopeMetrics: [
      {
        scope: { name: 's' },
        metrics: [
          {
            descriptor: { name: 'm', description: '', unit: '', valueType: ValueType.INT },
            aggregationTemporality: AggregationTemporality.CUMULATIVE,
            dataPointType: DataPointType.SUM,
            isMonotonic: true,
            dataPoints: [dataPoint],
          },
        ],
      },
    ],
  };
}

function sentExemplars(exemplars: Exemplar[]): DecodedExemplar[] {
  const [point] = decodedPoints(decode(serializeMetrics(withExemplars(exemplars))));
  return point?.exemplars ?? [];
}

const LIMIT = { timeout: 300_000 };

function points(metrics: ResourceMetrics): Point<unknown>[] {
  return metrics.scopeMetrics
    .flatMap((scope) => scope.metrics)
    .flatMap(({ dataPoints }): Point<unknown>[] => dataPoints);
}

test('without exemplars the bytes are those of the stock serializer', LIMIT, () => {
  const capacity = fc.oneof(fc.nat(300), fc.constant(4096));
  fc.assert(
    fc.property(resourceMetrics(), capacity, (metrics, guess) => {
      assert.equal(
        Buffer.compare(serializeMetrics(metrics, new BackwardWriter(guess)), stockBytes(metrics)),
        0,
      );
    }),
    { numRuns: 3000 },
  );
});

test('a writer that has written before writes the same', LIMIT, () => {
  const writer = new BackwardWriter(64);
  fc.assert(
    fc.property(resourceMetrics(), (metrics) => {
      assert.equal(Buffer.compare(serializeMetrics(metrics, writer), stockBytes(metrics)), 0);
    }),
  );
});

test('times keep their nanoseconds, also beyond 2038 and to the end of what the field holds', () => {
  for (const nanos of [0n, 1n, 2n ** 31n * 1_000_000_000n + 1n, 2n ** 53n + 1n, 2n ** 64n - 1n]) {
    const time: HrTime = [Number(nanos / 1_000_000_000n), Number(nanos % 1_000_000_000n)];
    const [exemplar] = sentExemplars([{ value: 1, timestamp: time, filteredAttributes: {} }]);
    assert.equal(exemplar?.timeUnixNano, String(nanos));
  }
});

test('exemplars arrive on points of every kind, and nothing else changes', LIMIT, () => {
  fc.assert(
    fc.property(resourceMetrics(true), (metrics) => {
      const sent = decode(serializeMetrics(metrics));
      const expected = points(metrics);
      decodedPoints(sent).forEach((point, index) => {
        const exemplars = expected[index]?.exemplars ?? [];
        assert.deepEqual(
          point.exemplars?.map(plain) ?? [],
          exemplars.map((one) => ({
            value: one.value,
            time: BigInt.asUintN(64, BigInt(one.timestamp[0]) * 1_000_000_000n + BigInt(one.timestamp[1])),
            traceId: one.traceId,
            spanId: one.spanId,
            keys: Object.keys(one.filteredAttributes).map(wellFormed),
          })),
        );
        delete point.exemplars;
      });
      assert.equal(decodedPoints(sent).length, expected.length);
      // The stock serializer leaves exemplars out.
      assert.deepEqual(sent, decode(stockBytes(metrics)));
    }),
    { numRuns: 500 },
  );
});

test('an exemplar has the value as double, its ids as bytes, and its attributes', () => {
  const [exemplar] = sentExemplars([
    {
      value: 27,
      timestamp: TIME,
      filteredAttributes: { 'gomap.goroutine.id': 991 },
      traceId: TRACE,
      spanId: SPAN.toUpperCase(),
    },
  ]);
  assert.equal(exemplar?.asDouble, 27);
  assert.equal(exemplar?.asInt, undefined);
  assert.equal(exemplar?.timeUnixNano, '1790000009000000500');
  assert.equal(Buffer.from(exemplar?.traceId ?? []).toString('hex'), TRACE);
  assert.equal(Buffer.from(exemplar?.spanId ?? []).toString('hex'), SPAN);
  assert.deepEqual(exemplar?.filteredAttributes, [{ key: 'gomap.goroutine.id', value: { intValue: '991' } }]);
});

test('exemplars never leave unsorted', () => {
  const one = { timestamp: TIME, filteredAttributes: {} };
  const sent = sentExemplars([
    { ...one, value: 3 },
    { ...one, value: 1, traceId: TRACE },
    { ...one, value: 2 },
  ]);
  assert.deepEqual(
    sent.map(({ asDouble, traceId }) => [asDouble, traceId !== undefined]),
    [
      [1, true],
      [2, false],
      [3, false],
    ],
  );
});

test('what is no identifier is left out, because receivers refuse the request otherwise', () => {
  for (const bad of [
    '',
    'abc',
    '0'.repeat(32),
    '0'.repeat(16),
    `${TRACE}00`,
    'z'.repeat(32),
    'z'.repeat(16),
  ]) {
    const [exemplar] = sentExemplars([
      { value: 1, timestamp: TIME, filteredAttributes: {}, traceId: bad, spanId: bad },
    ]);
    assert.equal(exemplar?.traceId, undefined, bad);
    assert.equal(exemplar?.spanId, undefined, bad);
  }
});

test('the stock serializer still drops exemplars (when it does not, remove ours and use it)', () => {
  const exemplars = [{ value: 1, timestamp: TIME, filteredAttributes: {}, traceId: TRACE }];
  assert.deepEqual(stockBytes(withExemplars(exemplars)), stockBytes(withExemplars([])));
});

function plain(exemplar: DecodedExemplar) {
  const hex = (bytes: Uint8Array | undefined) =>
    bytes === undefined ? undefined : Buffer.from(bytes).toString('hex');
  return {
    value: exemplar.asDouble,
    time: BigInt(exemplar.timeUnixNano),
    traceId: hex(exemplar.traceId),
    spanId: hex(exemplar.spanId),
    keys: (exemplar.filteredAttributes ?? []).map(({ key }) => key),
  };
}

/** Halves of surrogate pairs cannot be told in UTF-8. */
function wellFormed(text: string): string {
  return text.toWellFormed();
}
