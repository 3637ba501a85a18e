import type { MetricData, ResourceMetrics } from '@opentelemetry/sdk-metrics';

/** A list in some pieces of much the same length, or in as many as it has elements; undefined when that is one. */
export function piecesOf<T>(list: readonly T[], count: number): readonly T[][] | undefined {
  return divided(list.length, count)?.map(([from, to]) => list.slice(from, to));
}

/** Metrics in pieces of much the same number of data points, which stay the same objects. */
export function metricPieces(
  metrics: ResourceMetrics,
  count: number,
): readonly ResourceMetrics[] | undefined {
  const points = metrics.scopeMetrics
    .flatMap((scope) => scope.metrics)
    .reduce((sum, { dataPoints }) => sum + dataPoints.length, 0);
  return divided(points, count)?.map(([from, to]) => part(metrics, from, to));
}

function divided(length: number, count: number): [number, number][] | undefined {
  if (length < 2) {
    return undefined;
  }
  const size = Math.ceil(length / Math.min(length, count));
  return Array.from({ length: Math.ceil(length / size) }, (_, index) => [index * size, (index + 1) * size]);
}

/** The data points from one number up to another, counted through all metrics. */
function part({ resource, scopeMetrics }: ResourceMetrics, from: number, to: number): ResourceMetrics {
  let before = 0;
  const taken = (metric: MetricData): MetricData[] => {
    const dataPoints = metric.dataPoints.slice(Math.max(0, from - before), Math.max(0, to - before));
    before += metric.dataPoints.length;
    return dataPoints.length === 0 ? [] : [{ ...metric, dataPoints } as MetricData];
  };
  return {
    resource,
    scopeMetrics: scopeMetrics
      .map(({ scope, metrics }) => ({ scope, metrics: metrics.flatMap(taken) }))
      .filter(({ metrics }) => metrics.length > 0),
  };
}
