import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Summary, summarySchema } from '../../src/report/summary/schema.ts';
import { startCollector } from '../collector/collector.ts';
import { metricNamed } from '../collector/otlp-json.ts';
import { mapscope, summaryOf } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';

const LONG = { timeout: 300_000 };
const ALL = ['run', '--mode', 'all', '--format', 'json'];

let program: readonly string[] = [];
before(async () => {
  const dir = fileURLToPath(new URL('../services/labels', import.meta.url));
  program = ['--', await buildGo({ dir, version: 'local' }), '-requests', '100'];
});

function costsOf(summary: Summary): NonNullable<Summary['goroutines']> {
  summarySchema.parse(summary);
  assert.ok(summary.goroutines);
  return summary.goroutines;
}

/** The program's main goroutine makes 400 lookups after each request, a request and its child 400 each. */
function checkCosts(
  { heaviest, other, unattributed }: NonNullable<Summary['goroutines']>,
  most: number,
): void {
  assert.equal(heaviest.length, most);
  const [first, ...rest] = heaviest;
  assert.deepEqual([first?.goroutine, first?.missingAtMost], [1, 0]);
  assert.ok((first?.lookups ?? 0) >= 100 * 400);
  assert.ok(rest.every(({ lookups }) => lookups >= 400));
  assert.ok(other.lookups >= (200 - rest.length) * 400);
  assert.deepEqual(unattributed, {});
}

test('the report tells of the heaviest goroutines, ten unless said otherwise', LONG, async () => {
  const summary = await summaryOf([...ALL, ...program]);
  const costs = costsOf(summary);
  checkCosts(costs, 10);
  assert.equal(
    costs.heaviest.reduce((sum, { lookups }) => sum + lookups, costs.other.lookups),
    summary.observed.lookups,
  );
  checkCosts(costsOf(await summaryOf([...ALL, '--goroutines', '3', ...program])), 3);
  assert.equal((await summaryOf([...ALL, '--goroutines', '0', ...program])).goroutines, undefined);
});

test('with --per-goroutine a collector gets what the report says', LONG, async (context) => {
  const collector = await startCollector(context);
  const summary = await summaryOf([
    ...ALL,
    '--per-goroutine',
    '3',
    '--otlp-endpoint',
    collector.endpoint,
    ...program,
  ]);
  checkCosts(costsOf(summary), 3);
  const { heaviest, other } = costsOf(summary);
  const name = 'gomap.goroutine.lookup.probe_length';
  const last = (await collector.until((all) => all.some((one) => metricNamed(one, name)))).at(-1);
  for (const [metric, field] of [
    [name, 'probeLength'],
    ['gomap.goroutine.lookup.key_comparisons', 'keyComparisons'],
  ] as const) {
    const points = metricNamed(last, metric)?.histogram?.dataPoints ?? [];
    assert.deepEqual(
      points.map(({ attributes, bucketCounts, sum }) => [
        attributes['gomap.goroutine.id'],
        attributes['gomap.goroutine.parent_id'],
        bucketCounts,
        sum,
      ]),
      [
        ...heaviest.map((cost) => [
          cost.goroutine,
          cost.parentGoroutine,
          cost[field].counts,
          cost[field].sum,
        ]),
        [undefined, undefined, other[field].counts, other[field].sum],
      ],
    );
    assert.equal(points.at(-1)?.attributes['otel.metric.overflow'], true);
  }
});

for (const [options, message] of [
  [['--per-goroutine', '0'], /--per-goroutine must be a whole number from 1 to 100/],
  [['--per-goroutine', '101'], /--per-goroutine must be a whole number from 1 to 100/],
  [['--per-goroutine', 'all'], /--per-goroutine must be a whole number from 1 to 100/],
  [['--goroutines', '-1'], /goroutines must be a whole number from 0 to 1000/],
  [['--goroutines', '0', '--per-goroutine', '3'], /--per-goroutine needs per-goroutine counts/],
] as const) {
  test(`${options.join(' ')} is refused`, async () => {
    const { status, stderr } = await mapscope(['run', ...options, '--', '/bin/true']);
    assert.match(stderr, message);
    assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
    assert.equal(status, 2);
  });
}
