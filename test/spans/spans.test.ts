import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startShop } from '../support/shop.ts';
import { judge, observeShop, type Seen } from './candidates.ts';

const LONG = { timeout: 300_000 };
const VERSIONS = ['1.23.12', 'local', '1.27.4'];

/** Lookups of the shop's own code; libraries make others, of which the truth knows nothing. */
const own = ({ candidates }: Seen) => candidates.filter((c) => c.callSite.function.startsWith('main.'));

for (const version of VERSIONS) {
  test(`Go ${version}: spans of the SDK give each lookup its own span`, LONG, async (context) => {
    const shop = await startShop(context, { version, tracing: 'sdk' });
    const seen = await observeShop(shop, { followed: ['sdk'] });
    assert.deepEqual(seen.warnings, []);
    assert.equal(seen.load.errors + seen.load.missed, 0);
    const { right, otherSpan, wrong, missing, none, untold } = judge({ ...seen, candidates: own(seen) });
    assert.deepEqual([wrong, missing, untold, otherSpan], [[], [], [], 0]);
    assert.ok(right > 1000 && none > 1000, `${right} lookups in a span, ${none} in none`);
    // Those whose span is known are of sampled spans: others are not recorded at all.
    assert.ok(seen.candidates.every(({ traceId, sampled }) => sampled === (traceId ? true : undefined)));
  });
}

for (const version of VERSIONS) {
  test(`Go ${version}: a service without any SDK has its callers' spans`, LONG, async (context) => {
    const shop = await startShop(context, { version, tracing: 'none' });
    const seen = await observeShop(shop, { followed: ['http', 'grpc'] });
    assert.deepEqual(seen.warnings, []);
    const { right, otherSpan, wrong, missing, untold } = judge({ ...seen, candidates: own(seen) });
    assert.deepEqual([wrong, untold, otherSpan], [[], [], 0]);
    assert.ok(right > 1000, `${right} lookups in a span`);
    // A worker of a pool gets its jobs over a channel: nothing says there for whom they are.
    assert.ok(missing.every(({ callSite }) => callSite.function === 'main.(*pool).picture'));
    // The callers of half of the requests say that they are not recorded.
    const sampled = seen.candidates.filter((c) => c.sampled).length;
    const unsampled = seen.candidates.filter((c) => c.sampled === false).length;
    assert.ok(sampled > 500 && unsampled > 500, `${sampled} of sampled spans, ${unsampled} of others`);
  });
}

test('without any source no lookup has a trace', LONG, async (context) => {
  const shop = await startShop(context, { tracing: 'sdk' });
  const seen = await observeShop(shop, { followed: [], load: { rate: 100, seconds: 1 } });
  assert.ok(own(seen).length > 200);
  assert.ok(seen.candidates.every(({ traceId, spanId }) => traceId === undefined && spanId === undefined));
});
