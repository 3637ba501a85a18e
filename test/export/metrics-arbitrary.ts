import { type HrTime, ValueType } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  DataPointType,
  type ExponentialHistogram,
  type Histogram,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import fc from 'fast-check';
import type { Exemplar, Point } from '../../src/otel/metrics/points.ts';

/*
 * Random metrics of every kind, with everything that a serializer may stumble over.
 */

const text = fc.oneof(
  { weight: 3, arbitrary: fc.string() },
  fc.string({ unit: 'grapheme' }),
  // Any UTF-16, halves of surrogate pairs among it.
  fc.array(fc.nat(0xffff), { maxLength: 10 }).map((codes) => String.fromCharCode(...codes)),
  // Lengths of one, two and three bytes.
  fc.integer({ min: 100, max: 20_000 }).map((length) => 'x'.repeat(length)),
);

/** Integers on both sides of every length that a varint may have. */
const integer = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer(),
  fc.nat(200),
  fc
    .tuple(fc.integer({ min: 0, max: 63 }), fc.integer({ min: -1, max: 1 }), fc.constantFrom(1, -1))
    .map(([bits, more, sign]) => sign * 2 ** bits + more),
);

const number = fc.oneof(integer, fc.double(), fc.constantFrom(0, -0, 0.5, -0.5, -1.5));

/** A count: not negative. */
const count = fc.oneof(
  fc.nat(300),
  fc.maxSafeNat(),
  fc.integer({ min: 0, max: 63 }).map((bits) => 2 ** bits),
);

const { attributeValue } = fc.letrec((tie) => ({
  attributeValue: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    text,
    number,
    fc.boolean(),
    fc.constantFrom(null, undefined),
    fc.uint8Array({ maxLength: 20 }),
    fc.array(tie('attributeValue'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('attributeValue'), { maxKeys: 4 }),
  ),
}));

const attributes = fc.dictionary(text, attributeValue, { maxKeys: 6 });

/** From 1970 to beyond what fits into 64 bits of nanoseconds. */
const time: fc.Arbitrary<HrTime> = fc.tuple(
  fc.oneof(fc.nat(2 ** 31 - 1), fc.integer({ min: 0, max: 2 ** 35 }), fc.constant(2 ** 32)),
  fc.oneof(fc.nat(999_999_999), fc.constantFrom(0, 999_999_999)),
);

const optionalNumber = fc.option(fc.double(), { nil: undefined });

const numberValue = number;

const histogramValue: fc.Arbitrary<Histogram> = fc.record(
  {
    buckets: fc.array(fc.double(), { maxLength: 30 }).chain((boundaries) =>
      fc.record({
        boundaries: fc.constant(boundaries),
        counts: fc.array(count, { minLength: 0, maxLength: boundaries.length + 1 }),
      }),
    ),
    count,
    sum: optionalNumber,
    min: optionalNumber,
    max: optionalNumber,
  },
  { requiredKeys: ['buckets', 'count'] },
) as fc.Arbitrary<Histogram>;

const exponentialBuckets = fc.record({
  offset: fc.oneof(fc.constant(0), fc.integer()),
  bucketCounts: fc.array(count, { maxLength: 20 }),
});

const exponentialValue = fc.record(
  {
    count,
    sum: optionalNumber,
    scale: fc.integer({ min: -10, max: 20 }),
    zeroCount: count,
    positive: exponentialBuckets,
    negative: exponentialBuckets,
    min: optionalNumber,
    max: optionalNumber,
  },
  { requiredKeys: ['count', 'scale', 'zeroCount', 'positive', 'negative'] },
) as fc.Arbitrary<ExponentialHistogram>;

const hex = (digits: number) =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: digits - 1, maxLength: digits - 1 })
    .map((some) => `1${some.join('')}`);

/** Exemplars as the policy makes them: ascending by value, with and without a span context. */
const exemplars: fc.Arbitrary<Exemplar[]> = fc
  .array(
    fc.record(
      {
        value: fc.double({ noNaN: true }),
        timestamp: time,
        filteredAttributes: attributes,
        traceId: hex(32),
        spanId: hex(16),
      },
      { requiredKeys: ['value', 'timestamp', 'filteredAttributes'] },
    ),
    { maxLength: 5 },
  )
  .map((some) => some.toSorted((a, b) => a.value - b.value)) as fc.Arbitrary<Exemplar[]>;

function points<T>(value: fc.Arbitrary<T>, withExemplars: boolean): fc.Arbitrary<Point<T>[]> {
  const fields = { startTime: time, endTime: time, attributes, value };
  return fc.array(withExemplars ? fc.record({ ...fields, exemplars }) : fc.record(fields), { maxLength: 4 });
}

function metric(withExemplars: boolean): fc.Arbitrary<MetricData> {
  const common = {
    descriptor: fc.record({
      name: text,
      description: text,
      unit: fc.oneof(fc.constant(''), text),
      valueType: fc.constantFrom(ValueType.INT, ValueType.DOUBLE),
    }),
    aggregationTemporality: fc.constantFrom(AggregationTemporality.DELTA, AggregationTemporality.CUMULATIVE),
  };
  return fc.oneof(
    fc.record({
      ...common,
      dataPointType: fc.constant<DataPointType.GAUGE>(DataPointType.GAUGE),
      dataPoints: points(numberValue, withExemplars),
    }),
    fc.record({
      ...common,
      dataPointType: fc.constant<DataPointType.SUM>(DataPointType.SUM),
      dataPoints: points(numberValue, withExemplars),
      isMonotonic: fc.boolean(),
    }),
    fc.record({
      ...common,
      dataPointType: fc.constant<DataPointType.HISTOGRAM>(DataPointType.HISTOGRAM),
      dataPoints: points(histogramValue, withExemplars),
    }),
    fc.record({
      ...common,
      dataPointType: fc.constant<DataPointType.EXPONENTIAL_HISTOGRAM>(DataPointType.EXPONENTIAL_HISTOGRAM),
      dataPoints: points(exponentialValue, withExemplars),
    }),
  );
}

/** All that one export sends. */
export function resourceMetrics(withExemplars = false): fc.Arbitrary<ResourceMetrics> {
  return fc.record({
    resource: fc
      .tuple(attributes, fc.option(text, { nil: undefined }))
      .map(([some, schemaUrl]) =>
        resourceFromAttributes(some, schemaUrl === undefined ? undefined : { schemaUrl }),
      ),
    scopeMetrics: fc.array(
      fc.record({
        scope: fc.record(
          { name: text, version: text, schemaUrl: text, attributes, droppedAttributesCount: fc.nat() },
          { requiredKeys: ['name'] },
        ),
        metrics: fc.array(metric(withExemplars), { maxLength: 4 }),
      }),
      { maxLength: 3 },
    ),
  });
}
