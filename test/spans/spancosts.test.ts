import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  estimatedNanoseconds,
  HeaviestSpans,
  heaviestSpans,
  type SpanCost,
} from '../../src/model/heavy/spans.ts';
import { startShop } from '../support/shop.ts';
import { observeShop } from './candidates.ts';

const LONG = { timeout: 300_000 };

for (const version of ['1.23.12', 'local']) {
  test(`Go ${version}: each span's lookups are counted for it, and no others`, LONG, async (context) => {
    const shop = await startShop(context, { version, tracing: 'sdk' });
    const load = { rate: 100, seconds: 2, sample: 0.5 };
    const { snapshot, truth, warnings } = await observeShop(shop, {
      followed: ['sdk'],
      spanCosts: true,
      load,
    });
    assert.deepEqual(warnings, []);
    const spans = snapshot.spans ?? assert.fail('no costs of spans');
    // No lookup is lost or counted twice.
    const inSpans = spans.kept.reduce((sum, { lookups }) => sum + lookups, spans.otherLookups);
    const outside = Object.values(spans.outside).reduce((sum, n) => sum + n, 0);
    assert.equal(inSpans + outside, snapshot.observed);
    assert.equal(spans.outside.no_room, 0);
    // A span has at least the lookups of the shop's own code; libraries make some in the span as well.
    const own = new Map<string, number>();
    for (const { traceId, spanId, sampled, lookups } of truth) {
      if (sampled) {
        own.set(`${traceId} ${spanId}`, (own.get(`${traceId} ${spanId}`) ?? 0) + lookups);
      }
    }
    assert.ok(own.size > 100);
    let compared = 0;
    for (const span of spans.kept) {
      const lookups = own.get(`${span.traceId} ${span.spanId}`);
      if (lookups === undefined) {
        continue;
      }
      compared++;
      assert.ok(span.lookups >= lookups && span.lookups < lookups + 60, `${span.lookups} of ${lookups}`);
      assert.ok(span.probes >= span.lookups && span.hits <= span.lookups && span.sampled);
    }
    assert.ok(compared > own.size * 0.98, `${compared} of ${own.size} spans`);
  });
}

const span = (id: number, lookups: number): SpanCost => ({
  traceId: '1'.repeat(32),
  spanId: id.toString(16).padStart(16, '0'),
  goroutine: 1,
  lookups,
  hits: 0,
  probes: lookups,
  keyComparisons: 0,
  partsCompared: 0,
});

test('the heaviest spans are kept, the others counted together', () => {
  const spans = new HeaviestSpans(4);
  spans.add([span(1, 10), span(2, 50)]);
  spans.add([span(1, 10)]);
  spans.add([span(3, 5), span(4, 40), span(5, 30)]);
  const costs = spans.costs({ no_span: 7, no_room: 0 });
  assert.deepEqual(
    costs.kept.map(({ spanId, lookups }) => [Number(spanId), lookups]),
    [
      [2, 50],
      [4, 40],
    ],
  );
  assert.equal(costs.otherLookups, 55);
  const { heaviest, otherLookups } = heaviestSpans(costs, 1);
  assert.deepEqual([heaviest[0]?.lookups, heaviest.length, otherLookups], [50, 1, 95]);
});

test('the estimate grows with lookups, probes and comparisons', () => {
  const nanos = (lookups: number, probes: number, partsCompared: number) =>
    estimatedNanoseconds({ lookups, probes, partsCompared });
  assert.equal(nanos(0, 0, 0), 0);
  assert.equal(nanos(10, 10, 0), nanos(10, 10, 10));
  assert.ok(nanos(10, 10, 10) < nanos(10, 11, 10) && nanos(10, 10, 10) < nanos(10, 10, 11));
});
