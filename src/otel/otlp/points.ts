import { isValidSpanId, isValidTraceId, ValueType } from '@opentelemetry/api';
import type { ExponentialHistogram, Histogram } from '@opentelemetry/sdk-metrics';
import type { Exemplar, Point } from '../metrics/points.ts';
import { writeAttributes, writeTime } from './common.ts';
import type { BackwardWriter } from './writer.ts';

/*
 * Data points and exemplars in opentelemetry-proto 1.11. Read it from bottom to top, see common.ts.
 */

const NUMBER_POINT = { startTime: 2, time: 3, asDouble: 4, exemplars: 5, asInt: 6, attributes: 7 };
const HISTOGRAM_POINT = {
  startTime: 2,
  time: 3,
  count: 4,
  sum: 5,
  bucketCounts: 6,
  explicitBounds: 7,
  exemplars: 8,
  attributes: 9,
  min: 11,
  max: 12,
};
const EXPONENTIAL_POINT = {
  attributes: 1,
  startTime: 2,
  time: 3,
  count: 4,
  sum: 5,
  scale: 6,
  zeroCount: 7,
  positive: 8,
  negative: 9,
  exemplars: 11,
  min: 12,
  max: 13,
};
const BUCKETS = { offset: 1, bucketCounts: 2 };
const EXEMPLAR = { time: 2, asDouble: 3, spanId: 4, traceId: 5, filteredAttributes: 7 };

/** NumberDataPoint. */
export function writeNumberPoint(
  writer: BackwardWriter,
  field: number,
  point: Point<number>,
  valueType: ValueType,
): void {
  const end = writer.length;
  writeAttributes(writer, NUMBER_POINT.attributes, point.attributes);
  writeExemplars(writer, NUMBER_POINT.exemplars, point.exemplars);
  if (valueType === ValueType.INT) {
    writer.sfixed64(NUMBER_POINT.asInt, point.value);
  } else {
    writer.double(NUMBER_POINT.asDouble, point.value);
  }
  writeTime(writer, NUMBER_POINT.time, point.endTime);
  writeTime(writer, NUMBER_POINT.startTime, point.startTime);
  writer.close(field, end);
}

/** HistogramDataPoint. */
export function writeHistogramPoint(writer: BackwardWriter, field: number, point: Point<Histogram>): void {
  const end = writer.length;
  const { buckets, count, sum, min, max } = point.value;
  writeOptionalDouble(writer, HISTOGRAM_POINT.max, max);
  writeOptionalDouble(writer, HISTOGRAM_POINT.min, min);
  writeAttributes(writer, HISTOGRAM_POINT.attributes, point.attributes);
  writeExemplars(writer, HISTOGRAM_POINT.exemplars, point.exemplars);
  writePacked(writer, HISTOGRAM_POINT.explicitBounds, buckets.boundaries, (bound) => writer.putDouble(bound));
  writePacked(writer, HISTOGRAM_POINT.bucketCounts, buckets.counts, (one) => writer.putFixed64(one));
  writeOptionalDouble(writer, HISTOGRAM_POINT.sum, sum);
  writer.fixed64(HISTOGRAM_POINT.count, count);
  writeTime(writer, HISTOGRAM_POINT.time, point.endTime);
  writeTime(writer, HISTOGRAM_POINT.startTime, point.startTime);
  writer.close(field, end);
}

/** ExponentialHistogramDataPoint. */
export function writeExponentialPoint(
  writer: BackwardWriter,
  field: number,
  point: Point<ExponentialHistogram>,
): void {
  const end = writer.length;
  const { value } = point;
  writeOptionalDouble(writer, EXPONENTIAL_POINT.max, value.max);
  writeOptionalDouble(writer, EXPONENTIAL_POINT.min, value.min);
  writeExemplars(writer, EXPONENTIAL_POINT.exemplars, point.exemplars);
  writeBuckets(writer, EXPONENTIAL_POINT.negative, value.negative);
  writeBuckets(writer, EXPONENTIAL_POINT.positive, value.positive);
  writer.fixed64(EXPONENTIAL_POINT.zeroCount, value.zeroCount);
  if (value.scale !== 0) {
    writer.zigzag(EXPONENTIAL_POINT.scale, value.scale);
  }
  writeOptionalDouble(writer, EXPONENTIAL_POINT.sum, value.sum);
  writer.fixed64(EXPONENTIAL_POINT.count, value.count);
  writeTime(writer, EXPONENTIAL_POINT.time, point.endTime);
  writeTime(writer, EXPONENTIAL_POINT.startTime, point.startTime);
  writeAttributes(writer, EXPONENTIAL_POINT.attributes, point.attributes);
  writer.close(field, end);
}

/** ExponentialHistogramDataPoint.Buckets. */
function writeBuckets(
  writer: BackwardWriter,
  field: number,
  { offset, bucketCounts }: ExponentialHistogram['positive'],
): void {
  const end = writer.length;
  writePacked(writer, BUCKETS.bucketCounts, bucketCounts, (count) => writer.putVarint(count));
  if (offset !== 0) {
    writer.zigzag(BUCKETS.offset, offset);
  }
  writer.close(field, end);
}

/** repeated Exemplar. */
function writeExemplars(
  writer: BackwardWriter,
  field: number,
  exemplars: readonly Exemplar[] | undefined,
): void {
  if (exemplars !== undefined) {
    for (const exemplar of ascending(exemplars).toReversed()) {
      writeExemplar(writer, field, exemplar);
    }
  }
}

/**
 * Exemplar. Its value is a double even if the point's is an integer, because some receivers read nothing else. Invalid ids
 * are omitted: receivers would refuse the whole request because of one.
 */
function writeExemplar(writer: BackwardWriter, field: number, exemplar: Exemplar): void {
  const end = writer.length;
  const { filteredAttributes, traceId, spanId, value, timestamp } = exemplar;
  writeAttributes(writer, EXEMPLAR.filteredAttributes, filteredAttributes);
  if (traceId !== undefined && isValidTraceId(traceId)) {
    writer.hex(EXEMPLAR.traceId, traceId);
  }
  if (spanId !== undefined && isValidSpanId(spanId)) {
    writer.hex(EXEMPLAR.spanId, spanId);
  }
  writer.double(EXEMPLAR.asDouble, value);
  writeTime(writer, EXEMPLAR.time, timestamp);
  writer.close(field, end);
}

/** Receivers such as Prometheus walk bounds and exemplars together, and would put unsorted ones into wrong buckets. */
function ascending(exemplars: readonly Exemplar[]): readonly Exemplar[] {
  const sorted = exemplars.every((one, index) => one.value >= (exemplars[index - 1]?.value ?? one.value));
  return sorted ? exemplars : exemplars.toSorted((a, b) => a.value - b.value);
}

function writeOptionalDouble(writer: BackwardWriter, field: number, value: number | undefined): void {
  if (value !== undefined) {
    writer.double(field, value);
  }
}

/** A packed array. An empty one is omitted. */
function writePacked(
  writer: BackwardWriter,
  field: number,
  values: readonly number[],
  put: (value: number) => void,
): void {
  if (values.length > 0) {
    const end = writer.length;
    for (const value of values.toReversed()) {
      put(value);
    }
    writer.close(field, end);
  }
}
