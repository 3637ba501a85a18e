import { type HrTime, ValueType } from '@opentelemetry/api';
import { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AggregationTemporality, DataPointType, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { COUNT_BOUNDS } from '../../src/model/buckets.ts';
import type { Exemplar } from '../../src/otel/metrics/points.ts';
import { serializeMetrics } from '../../src/otel/otlp/request.ts';
import type { Measured, Part, Run } from './part.ts';
import { median } from './statistics.ts';

const POINTS = 2000;
const EXEMPLARS_PER_POINT = 3;

/** Encoding of one request: our serializer with exemplars and without, the stock one without, because it has none. */
export const encoding: Part = {
  name: 'encoding',
  title: `Encoding ${POINTS} histogram points, of which each has ${EXEMPLARS_PER_POINT} exemplars`,
  measure: async (run: Run): Promise<Measured> => {
    const [plain, full] = [request(0), request(EXEMPLARS_PER_POINT)];
    const ways = {
      stock: () => ProtobufMetricsSerializer.serializeRequest(plain),
      own: () => serializeMetrics(plain),
      'own, exemplars': () => serializeMetrics(full),
    };
    const times: Record<keyof typeof ways, number[]> = { stock: [], own: [], 'own, exemplars': [] };
    // The first rounds are compiled for.
    const warmUp = 10;
    for (let round = 0; round < (run.quick ? 60 : 300); round++) {
      for (const [name, encode] of Object.entries(ways)) {
        const start = performance.now();
        encode();
        if (round >= warmUp) {
          times[name as keyof typeof ways].push(performance.now() - start);
        }
      }
    }
    const millis = Object.entries(times).map(([name, all]) => [name, median(all)] as const);
    const sizes = Object.fromEntries(
      Object.entries(ways).map(([name, encode]) => [name, encode()?.length ?? 0]),
    );
    const stock = median(times.stock);
    return {
      figures: { encode_over_stock: median(times['own, exemplars']) / stock },
      details: { millis: Object.fromEntries(millis), bytes: sizes },
      report: {
        head: ['serializer', 'ms', 'over stock', 'kB'],
        rows: millis.map(([name, ms]) => [
          name,
          ms.toFixed(2),
          (ms / stock).toFixed(2),
          ((sizes[name] ?? 0) / 1000).toFixed(0),
        ]),
        remarks: [],
      },
    };
  },
};

function request(exemplars: number): ResourceMetrics {
  const descriptor = {
    name: 'gomap.lookup.probe_length',
    description: 'Buckets visited by a lookup',
    unit: '{bucket}',
    valueType: ValueType.INT,
  };
  const dataPoints = Array.from({ length: POINTS }, (_, i) => point(i, exemplars));
  return {
    resource: resourceFromAttributes({ 'service.name': 'shop', 'process.pid': 4711 }),
    scopeMetrics: [
      {
        scope: { name: 'mapscope', version: '1' },
        metrics: [
          {
            descriptor,
            aggregationTemporality: AggregationTemporality.CUMULATIVE,
            dataPointType: DataPointType.HISTOGRAM,
            dataPoints,
          },
        ],
      },
    ],
  };
}

function point(i: number, exemplars: number) {
  const time: HrTime = [1_790_000_000 + i, 500];
  const counts = [...COUNT_BOUNDS.map((_, bucket) => (i * 31 + bucket * 7) % 1000), 0];
  return {
    startTime: time,
    endTime: time,
    attributes: {
      'gomap.type': `map[string]*example.com/shop/cart.Entry${i % 40}`,
      'gomap.lookup.result': i % 2 === 0 ? 'hit' : 'miss',
      'code.function.name': `example.com/shop/cart.(*Store).Find${i % 500}`,
      'code.file.path': '/src/example.com/shop/cart/store.go',
      'code.line.number': i,
    },
    value: {
      buckets: { boundaries: [...COUNT_BOUNDS], counts },
      count: counts.reduce((sum, n) => sum + n, 0),
      sum: 12_345 + i,
    },
    exemplars: Array.from(
      { length: exemplars },
      (_, value): Exemplar => ({
        value: value + 1,
        timestamp: time,
        filteredAttributes: { 'go.goroutine.id': 1000 + i },
        traceId: '0af7651916cd43dd8448eb211c80319c',
        spanId: 'b7ad6b7169203331',
      }),
    ),
  };
}
