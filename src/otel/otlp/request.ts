import {
  AggregationTemporality,
  DataPointType,
  type MetricData,
  type ResourceMetrics,
  type ScopeMetrics,
} from '@opentelemetry/sdk-metrics';
import { writeResource, writeScope } from './common.ts';
import { writeExponentialPoint, writeHistogramPoint, writeNumberPoint } from './points.ts';
import { BackwardWriter } from './writer.ts';

/*
 * The metrics request of opentelemetry-proto 1.11, with exemplars, which the SDK's own serializer omits. Without exemplars
 * it writes the same bytes as that serializer. Read it from bottom to top, see common.ts.
 */

const REQUEST = { resourceMetrics: 1 };
const RESOURCE_METRICS = { resource: 1, scopeMetrics: 2, schemaUrl: 3 };
const SCOPE_METRICS = { scope: 1, metrics: 2, schemaUrl: 3 };
const METRIC = { name: 1, description: 2, unit: 3, gauge: 5, sum: 7, histogram: 9, exponentialHistogram: 10 };
/** Field numbers. They are the same in Gauge, Sum, Histogram and ExponentialHistogram, where these have the field. */
const DATA = { dataPoints: 1, aggregationTemporality: 2, isMonotonic: 3 };

/** ExportMetricsServiceRequest. @param writer lends its memory, which the request is in until it begins another message */
export function serializeMetrics(metrics: ResourceMetrics, writer = new BackwardWriter()): Uint8Array {
  writer.restart();
  if (metrics.resource.schemaUrl) {
    writer.string(RESOURCE_METRICS.schemaUrl, metrics.resource.schemaUrl);
  }
  for (const scope of metrics.scopeMetrics.toReversed()) {
    writeScopeMetrics(writer, scope);
  }
  writeResource(writer, RESOURCE_METRICS.resource, metrics.resource);
  writer.close(REQUEST.resourceMetrics, 0);
  return writer.finish();
}

function writeScopeMetrics(writer: BackwardWriter, { scope, metrics }: ScopeMetrics): void {
  const end = writer.length;
  if (scope.schemaUrl) {
    writer.string(SCOPE_METRICS.schemaUrl, scope.schemaUrl);
  }
  for (const metric of metrics.toReversed()) {
    writeMetric(writer, metric);
  }
  writeScope(writer, SCOPE_METRICS.scope, scope);
  writer.close(RESOURCE_METRICS.scopeMetrics, end);
}

function writeMetric(writer: BackwardWriter, metric: MetricData): void {
  const end = writer.length;
  writeData(writer, metric);
  const { name, description, unit } = metric.descriptor;
  if (unit) {
    writer.string(METRIC.unit, unit);
  }
  if (description) {
    writer.string(METRIC.description, description);
  }
  writer.string(METRIC.name, name);
  writer.close(SCOPE_METRICS.metrics, end);
}

function writeData(writer: BackwardWriter, metric: MetricData): void {
  const end = writer.length;
  const { valueType } = metric.descriptor;
  switch (metric.dataPointType) {
    case DataPointType.GAUGE:
      for (const point of metric.dataPoints.toReversed()) {
        writeNumberPoint(writer, DATA.dataPoints, point, valueType);
      }
      writer.close(METRIC.gauge, end);
      break;
    case DataPointType.SUM:
      if (metric.isMonotonic) {
        writer.varint(DATA.isMonotonic, 1);
      }
      writeTemporality(writer, metric.aggregationTemporality);
      for (const point of metric.dataPoints.toReversed()) {
        writeNumberPoint(writer, DATA.dataPoints, point, valueType);
      }
      writer.close(METRIC.sum, end);
      break;
    case DataPointType.HISTOGRAM:
      writeTemporality(writer, metric.aggregationTemporality);
      for (const point of metric.dataPoints.toReversed()) {
        writeHistogramPoint(writer, DATA.dataPoints, point);
      }
      writer.close(METRIC.histogram, end);
      break;
    case DataPointType.EXPONENTIAL_HISTOGRAM:
      writeTemporality(writer, metric.aggregationTemporality);
      for (const point of metric.dataPoints.toReversed()) {
        writeExponentialPoint(writer, DATA.dataPoints, point);
      }
      writer.close(METRIC.exponentialHistogram, end);
      break;
  }
}

/** enum AggregationTemporality: 1 delta, 2 cumulative. The SDK counts from 0. */
function writeTemporality(writer: BackwardWriter, temporality: AggregationTemporality): void {
  writer.varint(DATA.aggregationTemporality, temporality === AggregationTemporality.DELTA ? 1 : 2);
}
