import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { bucketOf } from '../../src/model/buckets.ts';
import { type CollectedExport, metricNamed } from '../collector/otlp-json.ts';
import { judge, shareOf, type Verdict } from './judge.ts';
import { type Backends, HISTOGRAMS, type Observed, observeShop, startBackends } from './observed.ts';

/** Classic maps, Swiss maps, and the newest Go. */
const VERSIONS = ['1.23.12', 'local', '1.27.4'] as const;
const LONG = { timeout: 300_000 };
const RATE = { rate: 300, seconds: 3 };
const ALL = ['--mode', 'all'];
const ALWAYS_ON = { OTEL_METRICS_EXEMPLAR_FILTER: 'always_on' };

let backends: Backends;
const ends: (() => Promise<void>)[] = [];
before(
  async () => {
    backends = await startBackends({ after: (end) => ends.unshift(end) });
  },
  { timeout: 1_800_000 }, // The first start of a backend builds it.
);
after(async () => {
  for (const end of ends) {
    await end();
  }
});

const judged = (seen: Pick<Observed, 'exemplars' | 'truth'>) => judge(seen, backends.jaeger);

/** Points whose exemplars receivers may rely on: ascending, one for each bucket that has counts, of the point's time. */
function checkPoints(exports: readonly CollectedExport[]): void {
  for (const collected of exports) {
    for (const name of HISTOGRAMS) {
      for (const point of metricNamed(collected, name)?.histogram?.dataPoints ?? []) {
        const buckets = point.exemplars.map(({ asDouble }) =>
          bucketOf(point.explicitBounds, asDouble ?? Number.NaN),
        );
        assert.deepEqual(
          buckets,
          [...new Set(buckets)].sort((a, b) => a - b),
          name,
        );
        assert.ok(
          buckets.every((bucket) => (point.bucketCounts[bucket] ?? 0) > 0),
          name,
        );
        for (const { timeUnixNano } of point.exemplars) {
          assert.ok(point.startTimeUnixNano < timeUnixNano && timeUnixNano <= point.timeUnixNano, name);
        }
      }
    }
  }
}

function checkVerdict(verdict: Verdict, atLeast: number): void {
  assert.deepEqual([verdict.wrong, verdict.missing, verdict.untold], [[], [], []]);
  assert.ok(shareOf(verdict) >= 0.99);
  assert.equal(verdict.ownRightSpan, verdict.ownRight, 'all of them name the innermost span as well');
  assert.ok(verdict.ownRight >= atLeast, `${verdict.ownRight} exemplars of the shop's own lookups`);
}

/** Every step of the shop that is made in spans, and none of those that are not, has exemplars of each histogram. */
function checkSteps({ exemplars, truth }: Observed, except: readonly string[]): void {
  for (const metric of HISTOGRAMS) {
    const functions = new Set(
      exemplars.filter((one) => one.metric === metric).map(({ point }) => point['code.function.name']),
    );
    for (const { function: name, step, sampled } of truth) {
      if (sampled && !except.includes(step)) {
        assert.ok(functions.has(name), `${step} has exemplars of ${metric}`);
      }
    }
  }
}

interface Source {
  readonly tracing: 'sdk' | 'labels' | 'none';
  readonly client: 'sdk' | 'header';
  /** Labels do not say whether a trace is sampled, so there all are: which of the others exist could not be known. */
  readonly sample: number;
  readonly sources: string;
  /** Steps whose trace this source cannot tell. */
  readonly unknowable?: readonly string[];
}

/** Nothing but labels and spans leads from a request to the goroutines of a pool that were there before it. */
const SOURCES: Readonly<Record<string, Source>> = {
  'spans of the SDK': { tracing: 'sdk', client: 'header', sample: 0.5, sources: 'sdk' },
  'labels only': { tracing: 'labels', client: 'sdk', sample: 1, sources: 'labels' },
  'traceparent only': {
    tracing: 'none',
    client: 'sdk',
    sample: 0.5,
    sources: 'http,grpc',
    unknowable: ['picture'],
  },
};

for (const [title, { tracing, client, sample, sources, unknowable = [] }] of Object.entries(SOURCES)) {
  describe(`exemplars lead to the trace that paid: ${title}`, { concurrency: VERSIONS.length }, () => {
    for (const version of VERSIONS) {
      test(`Go ${version}`, LONG, async (context) => {
        const seen = await observeShop(context, backends, {
          shop: { version, tracing },
          load: { ...RATE, client, sample },
          options: [...ALL, '--trace-sources', sources],
        });
        assert.equal(seen.said, '');
        assert.equal(seen.load.errors + seen.load.missed, 0);
        const verdict = await judged(seen);
        context.diagnostic(`${seen.exemplars.length} exemplars, ${100 * shareOf(verdict)} % right`);
        checkVerdict(verdict, 500);
        checkPoints(seen.exports);
        checkSteps(seen, unknowable);
        assert.equal(verdict.none, 0, 'by default, lookups without a trace are no exemplars');
      });
    }
  });
}

describe('without any source, and in other forms', { concurrency: 3 }, () => {
  for (const version of VERSIONS) {
    test(`Go ${version}: a service without any trace has exemplars without ids`, LONG, async (context) => {
      const seen = await observeShop(context, backends, {
        shop: { version, tracing: 'none' },
        load: { ...RATE, client: 'none' },
        options: ALL,
        env: ALWAYS_ON,
      });
      assert.equal(seen.said, '');
      assert.equal(seen.load.errors + seen.load.missed, 0);
      checkPoints(seen.exports);
      const { none, untold, wrong } = await judged(seen);
      assert.deepEqual([none, untold, wrong], [seen.exemplars.length, [], []]);
      assert.ok(seen.exemplars.length > 500 && seen.exemplars.every(({ spanId }) => spanId === ''));
    });
  }

  test('no sources wanted: no exemplars by default', LONG, async (context) => {
    const { exemplars, summary, said } = await observeShop(context, backends, {
      shop: { tracing: 'sdk' },
      load: { rate: 200, seconds: 1 },
      options: [...ALL, '--trace-sources', 'none'],
    });
    assert.deepEqual([exemplars, said], [[], '']);
    assert.ok(summary.observed.lookups > 5000);
  });

  // At the default budget spans are followed a small part of the time, which three seconds of load may miss.
  test('in windows: exemplars lead to their traces', LONG, async (context) => {
    const seen = await observeShop(context, backends, {
      shop: { tracing: 'sdk' },
      load: { ...RATE, client: 'sdk', sample: 0.5 },
      options: ['--budget', '30%'],
    });
    context.diagnostic(`${seen.summary.observed.windows} windows, ${seen.exemplars.length} exemplars`);
    checkVerdict(await judged(seen), 10);
    checkPoints(seen.exports);
  });

  test('all lookups may be exemplars: those in sampled spans have ids', LONG, async (context) => {
    const seen = await observeShop(context, backends, {
      shop: { tracing: 'sdk' },
      load: { ...RATE, client: 'sdk', sample: 0.5 },
      // A header also tells of spans that are not sampled, which may then be exemplars as well.
      options: [...ALL, '--trace-sources', 'sdk'],
      env: ALWAYS_ON,
    });
    const verdict = await judged(seen);
    checkVerdict(verdict, 500);
    assert.ok(verdict.none > 100, `${verdict.none} exemplars without a trace`);
    await checkThatWrongIsNoticed(seen);
  });

  test('exponential histograms in delta temporality have exemplars as good', LONG, async (context) => {
    const seen = await observeShop(context, backends, {
      shop: { tracing: 'sdk' },
      load: { ...RATE, client: 'sdk', sample: 0.5 },
      options: ALL,
      env: {
        OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta',
        OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: 'base2_exponential_bucket_histogram',
      },
    });
    checkVerdict(await judged(seen), 500);
    checkExponential(seen.exports);
  });
});

/** Each exemplar given the ids of the next one that is of another trace. */
async function checkThatWrongIsNoticed({ exemplars, truth }: Observed): Promise<void> {
  const traced = exemplars.filter(({ traceId }) => traceId !== '');
  const swapped = traced.map((exemplar, i) => {
    const others = [...traced.slice(i + 1), ...traced.slice(0, i)];
    const { traceId = '', spanId = '' } = others.find((one) => one.traceId !== exemplar.traceId) ?? {};
    return { ...exemplar, traceId, spanId };
  });
  const { wrong } = await judged({ exemplars: swapped, truth });
  assert.ok(wrong.length > 0.98 * swapped.length, `${wrong.length} of ${swapped.length} noticed`);
}

/** Deltas of this form: each interval follows the last, and has counts where it has exemplars. */
function checkExponential(exports: readonly CollectedExport[]): void {
  const ends = new Map<string, bigint>();
  let checked = 0;
  for (const collected of exports) {
    for (const name of HISTOGRAMS) {
      const { dataPoints, aggregationTemporality } = metricNamed(collected, name)?.exponentialHistogram ?? {};
      if (dataPoints !== undefined) {
        assert.equal(aggregationTemporality, 1);
      }
      for (const { attributes, scale, positive, zeroCount, exemplars, ...times } of dataPoints ?? []) {
        const series = JSON.stringify([name, attributes]);
        const end = ends.get(series);
        if (end !== undefined) {
          assert.ok(times.startTimeUnixNano >= end);
        }
        ends.set(series, times.timeUnixNano);
        for (const { asDouble = Number.NaN, timeUnixNano } of exemplars) {
          assert.ok(times.startTimeUnixNano < timeUnixNano && timeUnixNano <= times.timeUnixNano);
          // Where the value belongs, by the definition of the form; wider buckets of the kernel are told at their upper end.
          const place = Math.ceil(Math.log2(asDouble) * 2 ** scale) - 1 - positive.offset;
          const counted =
            asDouble === 0 ? zeroCount : positive.bucketCounts.slice(Math.max(0, place)).some(Boolean);
          assert.ok(counted, `${asDouble} of ${name}`);
          checked++;
        }
      }
    }
  }
  assert.ok(checked > 500);
}
