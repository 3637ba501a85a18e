import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Observed, observeShop, type ReceivedExemplar, startBackends } from './observed.ts';
import { type SeriesExemplars, startPrometheus } from './prometheus.ts';

/** The first start of a backend builds it. */
const LONG = { timeout: 1_800_000 };

/** The histograms' names in Prometheus, which knows the units that stand in braces as no units. */
const NAMES: Readonly<Record<string, string>> = {
  'gomap.lookup.probe_length': 'gomap_lookup_probe_length',
  'gomap.lookup.key_comparisons': 'gomap_lookup_key_comparisons',
};

const number = (le: string | undefined) => (le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le));

/** All labels of a bucket's series but its bound: what the buckets of one histogram have in common. */
function histogramOf({ le: _, ...labels }: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort());
}

/** What tells an exemplar from all others, as the collector got it and as Prometheus has it. */
const received = (one: ReceivedExemplar) =>
  [one.asDouble, Number(one.timeUnixNano / 1_000_000n), one.traceId, one.spanId].join(' ');
const kept = ({ value, timestamp, labels }: SeriesExemplars['exemplars'][number]) =>
  [value, Math.round(timestamp * 1000), labels.trace_id, labels.span_id].join(' ');

test('Prometheus has the exemplars at the right buckets, and they lead to Jaeger', LONG, async (context) => {
  const prometheus = await startPrometheus(context);
  const begin = new Date();
  const backends = await startBackends(context, `${prometheus.url}/api/v1/otlp`);
  const seen = await observeShop(context, backends, {
    shop: { tracing: 'sdk' },
    load: { rate: 300, seconds: 3, sample: 0.5 },
    options: ['--mode', 'all'],
    env: { OTEL_SERVICE_NAME: 'shop' },
  });
  const range = [begin, new Date(Date.now() + 1000)] as const;

  for (const [metric, name] of Object.entries(NAMES)) {
    const sent = seen.exemplars.filter((one) => one.metric === metric);
    const series = await prometheus.until(async () => {
      const found = await prometheus.queryExemplars(`${name}_bucket{job="shop"}`, ...range);
      return found.flatMap(({ exemplars }) => exemplars).length >= sent.length ? found : undefined;
    });
    const bounds = new Map<string, number[]>();
    for (const { metric: labels } of await prometheus.query(`${name}_bucket{job="shop"}`)) {
      const of = histogramOf(labels);
      bounds.set(of, [...(bounds.get(of) ?? []), number(labels.le)]);
    }
    for (const { seriesLabels, exemplars } of series) {
      const upper = number(seriesLabels.le);
      const others = bounds.get(histogramOf(seriesLabels)) ?? [];
      assert.ok(others.includes(upper));
      const lower = Math.max(Number.NEGATIVE_INFINITY, ...others.filter((bound) => bound < upper));
      for (const { value } of exemplars) {
        assert.ok(lower < value && value <= upper, `${value} is not in the bucket from ${lower} to ${upper}`);
      }
    }
    assert.deepEqual(
      series.flatMap(({ exemplars }) => exemplars.map(kept)).sort(),
      sent.map(received).sort(),
    );
    assert.ok(sent.length > 200 && new Set(series.map(({ seriesLabels }) => seriesLabels.le)).size > 5);
    // Where many keys have one hash, more are compared than anywhere else.
    if (metric === 'gomap.lookup.key_comparisons') {
      await checkWorst(series, seen, backends.jaeger);
    }
  }
});

/** What a user does: sees a spike, takes an exemplar of the highest bucket, and looks for its trace. */
async function checkWorst(
  series: readonly SeriesExemplars[],
  { truth }: Observed,
  jaeger: Awaited<ReturnType<typeof startBackends>>['jaeger'],
): Promise<void> {
  const [worst] = series
    .flatMap(({ seriesLabels, exemplars }) => exemplars.map((one) => ({ ...one, seriesLabels })))
    .sort((a, b) => b.value - a.value);
  assert.match(worst?.seriesLabels.code_function_name ?? '', /^main\.\(\*recommend\)\./);
  const trace = await jaeger.until(worst?.labels.trace_id ?? '');
  assert.ok(trace.some(({ service, name }) => service === 'shop' && name === 'GET /recommend'));
  const pieces = truth.filter(({ spanId }) => spanId === worst?.labels.span_id);
  assert.deepEqual(
    new Set(pieces.map(({ goroutine }) => `${goroutine}`)),
    new Set([worst?.labels['gomap.goroutine.id']]),
  );
}
