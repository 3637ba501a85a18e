import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runLoad, startShop, type TruthPiece } from '../support/shop.ts';
import { type JaegerSpan, SPAN_END_SLACK, startJaeger } from './jaeger.ts';
import { startPrometheus } from './prometheus.ts';

/** The first start of a backend builds it. */
const LONG = { timeout: 1_800_000 };

const outsideOfSpans = ({ traceId }: TruthPiece) => traceId === '';

function byTrace(truth: readonly TruthPiece[]): Map<string, TruthPiece[]> {
  return Map.groupBy(
    truth.filter((piece) => !outsideOfSpans(piece)),
    ({ traceId }) => traceId,
  );
}

const named = (trace: readonly JaegerSpan[], name: string) => trace.filter((span) => span.name === name);

test('Jaeger has every span of the sampled traces in the truth, and no others', LONG, async (context) => {
  const jaeger = await startJaeger(context);
  const shop = await startShop(context, { endpoint: jaeger.endpoint });
  const load = await runLoad(shop, { count: 660, seconds: 2, sample: 0.5 });
  assert.equal(load.errors + load.missed, 0);
  const truth = await shop.stop();

  const traces = byTrace(truth);
  assert.equal(traces.size, load.requests, 'each request is a trace of its own');
  let sampled = 0;
  for (const [id, pieces] of traces) {
    if (!pieces[0]?.sampled) {
      assert.equal(await jaeger.trace(id), undefined);
      continue;
    }
    sampled++;
    const trace = await jaeger.until(id, (stored) =>
      pieces.every(({ spanId }) => stored.some((span) => span.spanId === spanId)),
    );
    for (const { spanId, step, start, end } of pieces) {
      const span = trace.find((one) => one.spanId === spanId);
      assert.ok(span !== undefined && span.service === 'shop');
      assert.ok(
        span.startTimeUnixNano <= start && end <= span.endTimeUnixNano + SPAN_END_SLACK,
        `${step} was within its span`,
      );
    }
  }
  assert.ok(sampled > 200 && sampled < 460, `${sampled} of ${load.requests} were sampled`);
  assert.ok(truth.some(outsideOfSpans));
});

test(
  'Jaeger has the spans of a request nested as the shop nests them, below the client',
  LONG,
  async (context) => {
    const jaeger = await startJaeger(context);
    const shop = await startShop(context, { endpoint: jaeger.endpoint, version: '1.23.12' });
    await runLoad(shop, { count: 11, seconds: 0.2, client: 'sdk', endpoint: jaeger.endpoint });
    const pieces = (await shop.stop()).filter(({ endpoint }) => endpoint === '/checkout');
    for (const id of byTrace(pieces).keys()) {
      const trace = await jaeger.until(id, ({ length }) => length === 8);
      const parentOf = (name: string) =>
        new Set(
          named(trace, name).map(({ parentSpanId }) => trace.find((s) => s.spanId === parentSpanId)?.name),
        );
      assert.equal(named(trace, 'HTTP GET')[0]?.service, 'load');
      assert.deepEqual(parentOf('GET /checkout'), new Set(['HTTP GET']));
      for (const name of ['validate', 'duty', 'pay']) {
        assert.deepEqual(parentOf(name), new Set(['GET /checkout']));
      }
      assert.deepEqual(parentOf('stock'), new Set(['validate']));
      assert.equal(named(trace, 'duty').length, 3);
    }
  },
);

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';

/** A request with one histogram of four values, of which the last in the bucket up to 8 has an exemplar. */
function histogramRequest(now: Date): object {
  const timeUnixNano = `${now.getTime()}000000`;
  const point = {
    attributes: [{ key: 'gomap.type', value: { stringValue: 'map[string]int' } }],
    startTimeUnixNano: timeUnixNano,
    timeUnixNano,
    count: '4',
    sum: 11,
    explicitBounds: [1, 2, 4, 8],
    bucketCounts: ['2', '1', '0', '1', '0'],
    exemplars: [
      {
        timeUnixNano,
        asDouble: 7,
        traceId: TRACE_ID,
        spanId: SPAN_ID,
        filteredAttributes: [{ key: 'goroutine', value: { intValue: '42' } }],
      },
    ],
  };
  const histogram = { aggregationTemporality: 2, dataPoints: [point] };
  return {
    resourceMetrics: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] },
        scopeMetrics: [{ metrics: [{ name: 'gomap.lookup.probe_length', unit: '{bucket}', histogram }] }],
      },
    ],
  };
}

test('Prometheus takes a histogram as OTLP and gives its exemplar back', LONG, async (context) => {
  const prometheus = await startPrometheus(context);
  const now = new Date();
  const response = await fetch(prometheus.otlpMetricsEndpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(histogramRequest(now)),
  });
  assert.equal(response.status, 200, await response.text());

  const name = 'gomap_lookup_probe_length_bucket';
  const range = [new Date(now.getTime() - 1000), new Date(now.getTime() + 1000)] as const;
  const [series, ...more] = await prometheus.until(async () => {
    const found = await prometheus.queryExemplars(`${name}{job="shop"}`, ...range);
    return found.length > 0 ? found : undefined;
  });
  assert.equal(more.length, 0);
  assert.equal(series?.seriesLabels.le, '8');
  assert.equal(series?.seriesLabels.gomap_type, 'map[string]int');
  assert.deepEqual(series?.exemplars, [
    {
      labels: { trace_id: TRACE_ID, span_id: SPAN_ID, goroutine: '42' },
      value: 7,
      timestamp: now.getTime() / 1000,
    },
  ]);
  const samples = await prometheus.query(`${name}{job="shop"}`);
  assert.deepEqual(samples.map(({ metric, value }) => [metric.le, value]).sort(), [
    ['+Inf', 4],
    ['1', 2],
    ['2', 3],
    ['4', 3],
    ['8', 4],
  ]);
  assert.deepEqual(await prometheus.queryExemplars('up', ...range), []);
});
