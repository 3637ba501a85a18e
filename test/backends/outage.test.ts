import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, startCollector } from '../collector/collector.ts';
import { runLoad, startShop } from '../support/shop.ts';
import { judge } from './judge.ts';
import { attachTo, exemplarsOf, startBackends } from './observed.ts';

test('exemplars of a time without a collector arrive when there is one again', {
  timeout: 1_800_000, // The first start of a backend builds it.
}, async (context) => {
  const { collector, jaeger } = await startBackends(context);
  const shop = await startShop(context, { endpoint: jaeger.endpoint });
  const mapscope = await attachTo(context, collector, shop, {
    options: ['--mode', 'all'],
    env: { OTEL_METRIC_EXPORT_TIMEOUT: '1500' },
  });
  await collector.stop();
  const begin = BigInt(Date.now()) * 1_000_000n;
  await runLoad(shop, { rate: 300, seconds: 1.5, client: 'sdk', endpoint: jaeger.endpoint });
  const end = BigInt(Date.now() + 1) * 1_000_000n;
  await mapscope.service.until(() => /cannot be reached/.test(mapscope.service.output) || undefined);

  const next = await startCollector(context, collector.port);
  const exemplars = await eventually(async () => {
    const found = (await next.exports()).flatMap(exemplarsOf);
    return found.length > 0 ? found : undefined;
  });
  await mapscope.stop();
  assert.ok(exemplars.every(({ timeUnixNano: time }) => begin <= time && time <= end));
  const truth = await shop.stop();
  const { wrong, missing, untold, ownRight } = await judge({ exemplars, truth }, jaeger);
  assert.deepEqual([wrong, missing, untold], [[], [], []]);
  const functions = new Set(exemplars.map(({ point }) => point['code.function.name']));
  for (const { function: name, step, traceId } of truth) {
    if (traceId !== '') {
      assert.ok(functions.has(name), `${step} has exemplars`);
    }
  }
  assert.ok(ownRight > 50, `${ownRight} exemplars of the shop's own lookups`);
});
