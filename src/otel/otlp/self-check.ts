import { type HrTime, ValueType } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AggregationTemporality, DataPointType, type ResourceMetrics } from '@opentelemetry/sdk-metrics';

const TIMES: { startTime: HrTime; endTime: HrTime } = {
  startTime: [1_790_000_000, 0],
  endTime: [1_790_000_001, 999_999_999],
};
const POINT = {
  ...TIMES,
  attributes: { 'gomap.type': 'map[ключ]int', line: 300, ratio: 0.5, overflow: true },
};

/** One small metric of each kind, for comparing serializers. */
export const SAMPLE_METRICS: ResourceMetrics = {
  resource: resourceFromAttributes({ 'service.name': 'sample', 'process.command_args': ['a', 'b'] }),
  scopeMetrics: [
    {
      scope: { name: 'mapscope', version: '1' },
      metrics: [
        {
          descriptor: descriptor('a.counter', ValueType.INT),
          aggregationTemporality: AggregationTemporality.DELTA,
          dataPointType: DataPointType.SUM,
          isMonotonic: true,
          dataPoints: [{ ...POINT, value: 2 ** 40 + 1 }],
        },
        {
          descriptor: descriptor('a.gauge', ValueType.DOUBLE),
          aggregationTemporality: AggregationTemporality.CUMULATIVE,
          dataPointType: DataPointType.GAUGE,
          dataPoints: [{ ...POINT, value: -0.25 }],
        },
        {
          descriptor: descriptor('a.histogram', ValueType.INT),
          aggregationTemporality: AggregationTemporality.CUMULATIVE,
          dataPointType: DataPointType.HISTOGRAM,
          dataPoints: [
            { ...POINT, value: { buckets: { boundaries: [1, 2], counts: [3, 0, 1] }, count: 4, sum: 10 } },
          ],
        },
        {
          descriptor: descriptor('an.exponential_histogram', ValueType.INT),
          aggregationTemporality: AggregationTemporality.DELTA,
          dataPointType: DataPointType.EXPONENTIAL_HISTOGRAM,
          dataPoints: [
            {
              ...POINT,
              value: {
                count: 205,
                sum: 210,
                scale: 3,
                zeroCount: 1,
                positive: { offset: -1, bucketCounts: [200, 0, 4] },
                negative: { offset: 0, bucketCounts: [] },
              },
            },
          ],
        },
      ],
    },
  ],
};

function descriptor(name: string, valueType: ValueType) {
  return { name, description: 'A sample.', unit: '{lookup}', valueType };
}
