import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bucketOf, COUNT_BOUNDS } from '../../src/model/buckets.ts';
import {
  candidate,
  candidatesOf,
  KEY_COMPARISONS,
  PROBE_LENGTH,
  spanId,
  traceId,
  untraced,
} from '../export/candidates.ts';
import { startExport, withEnvironment } from '../export/pipeline.ts';
import { SECOND, START, snapshot } from '../model/fixtures.ts';
import { collectorBinary } from './build.ts';
import { eventually, freePort, startCollector, startCollectorProcess } from './collector.ts';
import { AGGREGATION, exported, pointOf, site, TEMPORALITY } from './exported.ts';
import { metricNamed } from './otlp-json.ts';

const EXAMPLE = fileURLToPath(new URL('../../otel-config/collector.yaml', import.meta.url));
const LONG = { timeout: 120_000 };
const shuffled = [
  candidate({ probeLength: 5000, keyComparisons: 1, traceId: traceId(5), goroutine: 1 }),
  candidate({ probeLength: 2, keyComparisons: 0, traceId: traceId(2), spanId: spanId(2) }),
  candidate({ probeLength: 30, keyComparisons: 1, traceId: traceId(4), time: START + 7n }),
  candidate({ probeLength: 9, keyComparisons: 1, traceId: traceId(3), parentGoroutine: 0 }),
  candidate({ probeLength: 1, keyComparisons: 1, traceId: traceId(1), time: START + 1n }),
  untraced({ probeLength: 3 }),
];

before(() => collectorBinary(), { timeout: 1_800_000 });

test(
  'exemplars arrive with ids, values, times and attributes, in every form of histogram',
  LONG,
  async (context) => {
    for (const temporality of ['cumulative', 'delta']) {
      for (const aggregation of ['explicit_bucket_histogram', 'base2_exponential_bucket_histogram']) {
        const [collected] = await exported(context, [shuffled], {
          [TEMPORALITY]: temporality,
          [AGGREGATION]: aggregation,
        });
        const metric = metricNamed(collected, PROBE_LENGTH);
        const explicit = aggregation === 'explicit_bucket_histogram';
        assert.equal(metric?.histogram !== undefined, explicit);
        assert.equal(metric?.exponentialHistogram !== undefined, !explicit);
        const data = metric?.histogram ?? metric?.exponentialHistogram;
        assert.equal(data?.aggregationTemporality, temporality === 'delta' ? 1 : 2);
        const { exemplars = [] } = pointOf(collected, PROBE_LENGTH) ?? {};
        const goroutine = { 'gomap.goroutine.id': 991, 'gomap.goroutine.parent_id': 17 };
        const time = START + SECOND / 2n;
        const span = spanId(1);
        assert.deepEqual(
          exemplars.map(({ asInt: _, ...one }) => one),
          [
            {
              asDouble: 1,
              traceId: traceId(1),
              spanId: span,
              timeUnixNano: START + 1n,
              filteredAttributes: goroutine,
            },
            {
              asDouble: 2,
              traceId: traceId(2),
              spanId: spanId(2),
              timeUnixNano: time,
              filteredAttributes: goroutine,
            },
            {
              asDouble: 9,
              traceId: traceId(3),
              spanId: span,
              timeUnixNano: time,
              filteredAttributes: { 'gomap.goroutine.id': 991 },
            },
            {
              asDouble: 30,
              traceId: traceId(4),
              spanId: span,
              timeUnixNano: START + 7n,
              filteredAttributes: goroutine,
            },
            {
              asDouble: 5000,
              traceId: traceId(5),
              spanId: span,
              timeUnixNano: time,
              filteredAttributes: { 'gomap.goroutine.id': 1, 'gomap.goroutine.parent_id': 17 },
            },
          ],
        );
        const comparisons = pointOf(collected, KEY_COMPARISONS)?.exemplars ?? [];
        assert.deepEqual(
          comparisons.map(({ asDouble }) => asDouble),
          [0, 1],
        );
      }
    }
  },
);

test('exemplars are sent once, sorted, one per bucket, of the interval of a delta', LONG, async (context) => {
  for (const temporality of ['cumulative', 'delta']) {
    const lists = [0, 1, 2].map((cycle) =>
      [30, 2, 500, 9, 1, 10, 11, 3].map((probeLength, index) =>
        candidate({
          probeLength,
          time: START + BigInt(cycle) * SECOND + BigInt(index + 1),
          traceId: traceId(cycle * 16 + index),
        }),
      ),
    );
    const exports = await exported(context, lists, { [TEMPORALITY]: temporality });
    exports.forEach((collected, cycle) => {
      const point = pointOf(collected, PROBE_LENGTH);
      const exemplars = point?.exemplars ?? [];
      assert.deepEqual(
        exemplars.map(({ asDouble, traceId: id }) => [asDouble, id]),
        // Of 9 and 10, which share a bucket, the newer.
        [
          [1, 4],
          [2, 1],
          [3, 7],
          [10, 5],
          [11, 6],
          [30, 0],
          [500, 2],
        ].map(([value, index]) => [value, traceId(cycle * 16 + (index ?? 0))]),
      );
      const buckets = exemplars.map(({ asDouble }) => bucketOf(COUNT_BOUNDS, asDouble ?? Number.NaN));
      assert.equal(new Set(buckets).size, exemplars.length);
      for (const { timeUnixNano } of exemplars) {
        assert.ok(point !== undefined && timeUnixNano > point.startTimeUnixNano);
        assert.ok(timeUnixNano <= point.timeUnixNano);
      }
    });
  }
});

test(
  'what a collector missed while it was away arrives with the next export, exemplars included',
  LONG,
  async (context) => {
    for (const temporality of ['cumulative', 'delta']) {
      withEnvironment(context, { [TEMPORALITY]: temporality });
      const port = await freePort();
      const { otlp } = startExport(context, {
        endpoint: `http://127.0.0.1:${port}`,
        source: () => snapshot([site(1)]),
        candidates: candidatesOf(shuffled),
        retry: { initialDelayMillis: 20, maxDelayMillis: 50, timeoutMillis: 200 },
      });
      assert.match((await otlp.flush()).problem ?? '', /cannot be reached/);
      const collector = await startCollector(context, port);
      await eventually(async () => ((await otlp.flush()).delivered ? true : undefined));
      const [collected] = await collector.until(({ length }) => length === 1);
      assert.deepEqual(
        pointOf(collected, PROBE_LENGTH)?.exemplars.map(({ traceId: id }) => id),
        [1, 2, 3, 4, 5].map(traceId),
        temporality,
      );
    }
  },
);

test(
  'the example configuration shows exemplars to Prometheus, on the right buckets',
  LONG,
  async (context) => {
    const [otlpPort, prometheusPort] = [await freePort(), await freePort()];
    await startCollectorProcess(context, EXAMPLE, {
      OTLP_LISTEN: `127.0.0.1:${otlpPort}`,
      PROMETHEUS_LISTEN: `127.0.0.1:${prometheusPort}`,
    });
    const { otlp } = startExport(context, {
      endpoint: `http://127.0.0.1:${otlpPort}`,
      source: () => snapshot([site(1)]),
      candidates: candidatesOf(shuffled),
    });
    assert.equal((await otlp.flush()).problem, undefined);
    const page = await eventually(async () => {
      const headers = { accept: 'application/openmetrics-text; version=1.0.0' };
      const answer = await fetch(`http://127.0.0.1:${prometheusPort}/metrics`, { headers });
      const text = await answer.text();
      return text.includes('gomap_lookup_probe_length') ? text : undefined;
    });
    const shown = page.split('\n').flatMap((line) => {
      const match = /^gomap_lookup_probe_length\w*_bucket\{.*le="([^"]+)".*\} \d+ # \{(.*)\} (\S+) /.exec(
        line,
      );
      return match === null
        ? []
        : [{ le: Number(match[1]), labels: match[2] ?? '', value: Number(match[3]) }];
    });
    assert.deepEqual(
      shown.map(({ le, value }) => [le, value]),
      [
        [1, 1],
        [2, 2],
        [10, 9],
        [32, 30],
        [Number.NaN, 5000],
      ],
    );
    shown.forEach(({ labels }, index) => {
      assert.ok(labels.includes(`trace_id="${traceId(index + 1)}"`), labels);
      // The exporter for Prometheus tells no other attributes of exemplars.
      assert.match(labels, /span_id="b+[12]"/);
    });
  },
);
