import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { noCost } from '../../src/model/heavy/goroutines.ts';
import {
  FOLLOWING_METRICS,
  MAP_METRICS,
  type MetricContract,
  SELF_METRICS,
  SPIKE_METRICS,
} from '../../src/otel/contract/metrics.ts';
import { growingObservation, startExport, withEnvironment } from '../export/pipeline.ts';
import { spikeTotals } from '../export/spikes.ts';
import { callSite, following, snapshot } from '../model/fixtures.ts';
import { collectorBinary, run } from './build.ts';
import { eventually, freePort, startCollector, startCollectorProcess } from './collector.ts';
import { counted, metricNamed } from './otlp-json.ts';

const EXAMPLE = fileURLToPath(new URL('../../otel-config/collector.yaml', import.meta.url));
const LONG = { timeout: 120_000 };
const FAST_RETRY = { initialDelayMillis: 20, maxDelayMillis: 100 };

before(() => collectorBinary(), { timeout: 1_800_000 });

test(
  'a real collector receives the contract: names, units, kinds, attributes, resource',
  LONG,
  async (context) => {
    const collector = await startCollector(context);
    const { otlp } = startExport(context, {
      endpoint: collector.endpoint,
      source: () =>
        snapshot([callSite(30), callSite(6, { hit: false })], {
          unreadable: { stack: 1 },
          dropped: { table_full: 2 },
          inexact: { long_key: 3 },
          spikes: spikeTotals(),
          following: following(),
          goroutines: { kept: [], other: noCost(), unattributed: { no_room: 4 } },
        }),
    });
    assert.deepEqual((await otlp.flush()).problem, undefined);
    const [collected] = await collector.until((exports) => exports.length === 1);
    const contracts: MetricContract[] = [
      ...Object.values(SELF_METRICS),
      ...Object.values(SPIKE_METRICS),
      ...Object.values(FOLLOWING_METRICS),
      ...Object.values(MAP_METRICS),
    ];
    assert.deepEqual(
      collected?.metrics.map(({ name, unit, description }) => ({ name, unit, description })),
      contracts
        .filter(({ only }) => only !== 'classic')
        .map(({ name, unit, description }) => ({ name, unit, description })),
    );
    for (const { name, kind } of contracts.filter(({ only }) => only !== 'classic')) {
      const found = metricNamed(collected, name);
      assert.equal(found?.histogram !== undefined, kind === 'histogram', name);
      assert.equal(found?.sum?.isMonotonic, kind === 'counter' ? true : undefined, name);
      assert.equal(found?.gauge !== undefined, kind === 'gauge', name);
    }
    assert.deepEqual(collected?.scopes, ['mapscope.self', 'mapscope']);
    assert.equal(collected?.resource['service.name'], 'shop');
    assert.equal(collected?.resource['process.pid'], 4711);
    assert.equal(collected?.resource['process.runtime.name'], 'go');
    assert.equal(
      'telemetry.sdk.language' in (collected?.resource ?? {}),
      false,
      'the target is not a Node.js program',
    );

    const probeLength = metricNamed(collected, 'gomap.lookup.probe_length')?.histogram;
    assert.equal(probeLength?.aggregationTemporality, 2);
    const [hit, miss] = probeLength?.dataPoints ?? [];
    assert.deepEqual(hit?.attributes, {
      'gomap.type': 'map[string]int',
      'gomap.lookup.result': 'hit',
      'code.function.name': 'example.com/shop/cart.(*Store).Find',
      'code.file.path': '/src/shop/cart/store.go',
      'code.line.number': 42,
    });
    assert.equal(miss?.attributes['gomap.lookup.result'], 'miss');
    assert.deepEqual([hit?.count, hit?.sum, miss?.count, miss?.sum], [30, 60, 6, 12]);
    assert.deepEqual(hit?.bucketCounts.slice(0, 5), [0, 10, 10, 10, 0]);
    assert.deepEqual(hit?.explicitBounds, MAP_METRICS.probeLength.bounds);
    assert.deepEqual(
      metricNamed(collected, 'mapscope.lookups.dropped')?.sum?.dataPoints.map(({ attributes, asInt }) => [
        attributes,
        asInt,
      ]),
      [[{ 'mapscope.reason': 'table_full' }, 2]],
    );
  },
);

test('cumulative counts rise from export to export, from one start', LONG, async (context) => {
  const collector = await startCollector(context);
  const { otlp } = startExport(context, { endpoint: collector.endpoint });
  for (let flush = 0; flush < 4; flush++) {
    assert.equal((await otlp.flush()).problem, undefined);
  }
  const exports = await collector.until(({ length }) => length === 4);
  assert.deepEqual(
    exports.map((one) => counted(one, 'gomap.lookups')),
    [11, 22, 33, 44],
  );
  const points = exports.map(
    (one) => metricNamed(one, 'gomap.lookup.probe_length')?.histogram?.dataPoints[0],
  );
  assert.deepEqual(
    points.map((point) => point?.count),
    [10, 20, 30, 40],
  );
  assert.equal(new Set(points.map((point) => point?.startTimeUnixNano)).size, 1);
  points.slice(1).forEach((point, index) => {
    const earlier = points[index];
    assert.ok(point !== undefined && earlier !== undefined && point.timeUnixNano > earlier.timeUnixNano);
    assert.ok(point.bucketCounts.every((count, bucket) => count >= (earlier.bucketCounts[bucket] ?? 0)));
  });
});

test('delta temporality by environment: intervals follow each other and add up', LONG, async (context) => {
  withEnvironment(context, { OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta' });
  const collector = await startCollector(context);
  const { otlp } = startExport(context, { endpoint: collector.endpoint });
  for (let flush = 0; flush < 3; flush++) {
    assert.equal((await otlp.flush()).problem, undefined);
  }
  const exports = await collector.until(({ length }) => length === 3);
  assert.deepEqual(
    exports.map((one) => counted(one, 'gomap.lookups')),
    [11, 11, 11],
  );
  const histograms = exports.map((one) => metricNamed(one, 'gomap.lookup.probe_length')?.histogram);
  assert.deepEqual(
    histograms.map((one) => one?.aggregationTemporality),
    [1, 1, 1],
  );
  const points = histograms.map((one) => one?.dataPoints[0]);
  assert.equal(points[1]?.startTimeUnixNano, points[0]?.timeUnixNano);
  assert.equal(points[2]?.startTimeUnixNano, points[1]?.timeUnixNano);
});

test('gzip and the endpoint variable reach a real collector', LONG, async (context) => {
  const collector = await startCollector(context);
  withEnvironment(context, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
  });
  const { otlp } = startExport(context);
  assert.equal((await otlp.flush()).problem, undefined);
  await collector.until(({ length }) => length === 1);
});

test('a collector that is not there: shutdown says so, in time', LONG, async (context) => {
  const port = await freePort();
  const { shutdown, said } = startExport(context, {
    endpoint: `http://127.0.0.1:${port}`,
    retry: FAST_RETRY,
  });
  const begin = performance.now();
  const result = await shutdown(1000);
  assert.ok(performance.now() - begin < 1500);
  assert.equal(result.delivered, false);
  assert.match(result.problem ?? '', /it cannot be reached/);
  assert.deepEqual(said, [], 'the result says it, so the log need not');
});

test('a collector that comes late gets the metrics by retry, within one export', LONG, async (context) => {
  const port = await freePort();
  const { otlp } = startExport(context, { endpoint: `http://127.0.0.1:${port}`, retry: FAST_RETRY });
  const flush = otlp.flush(60_000);
  const collector = await startCollector(context, port);
  const result = await flush;
  assert.equal(result.problem, undefined);
  assert.equal(otlp.totals.failed, 0);
  const exports = await collector.until(({ length }) => length > 0);
  assert.equal(counted(exports[0], 'gomap.lookups'), 11);
});

test('a collector that is restarted gets everything again, without loss', LONG, async (context) => {
  for (const temporality of ['cumulative', 'delta']) {
    withEnvironment(context, { OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: temporality });
    const first = await startCollector(context);
    const { otlp, said } = startExport(context, {
      endpoint: first.endpoint,
      retry: { ...FAST_RETRY, timeoutMillis: 2000 },
    });
    assert.equal((await otlp.flush()).problem, undefined);
    await first.until(({ length }) => length === 1);
    await first.stop();
    assert.match((await otlp.flush()).problem ?? '', /it cannot be reached/);

    const second = await startCollector(context, first.port);
    await eventually(async () => ((await otlp.flush()).delivered ? true : undefined));
    const exports = await second.until(({ length }) => length === 1);
    const reads = otlp.totals.exported + otlp.totals.failed;
    const expected = temporality === 'delta' ? 11 * (reads - 1) : 11 * reads;
    assert.equal(counted(exports[0], 'gomap.lookups'), expected, temporality);
    assert.deepEqual(
      said.map(({ level }) => level),
      ['warn', 'info'],
      'once when it stopped, once when it was back',
    );
  }
});

test('the example configuration is valid and shows the metrics to Prometheus', LONG, async (context) => {
  await run('.', await collectorBinary(), ['validate', '--config', EXAMPLE]);
  const [otlpPort, prometheusPort] = [await freePort(), await freePort()];
  await startCollectorProcess(context, EXAMPLE, {
    OTLP_LISTEN: `127.0.0.1:${otlpPort}`,
    PROMETHEUS_LISTEN: `127.0.0.1:${prometheusPort}`,
  });
  const { otlp } = startExport(context, {
    endpoint: `http://127.0.0.1:${otlpPort}`,
    source: growingObservation(),
  });
  const page = await eventually(async () => {
    assert.equal((await otlp.flush()).problem, undefined);
    const text = await (await fetch(`http://127.0.0.1:${prometheusPort}/metrics`)).text();
    return text.includes('gomap_lookups_total') ? text : undefined;
  });
  assert.match(page, /^gomap_lookup_probe_length_bucket\{.*gomap_lookup_result="hit".*le="2(\.0)?"\} \d+$/m);
  assert.match(page, /^gomap_lookups_total\{.*code_line_number="42".*service_name="shop".*\} \d+$/m);
  assert.match(page, /^gomap_entries\{.*gomap_type="map\[string\]int".*\} 95(\.0)?$/m);
});
