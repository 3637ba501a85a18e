import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Observation } from '../../src/observe/observation.ts';
import { endOf } from '../support/accounts.ts';
import { opened } from '../support/opened.ts';
import { runLoad, startShop } from '../support/shop.ts';

const PATIENCE_MILLIS = 60_000;

test('following spans is paid from the same budget, and pauses when it is too dear', async (t) => {
  const shop = await startShop(t);
  const said: string[] = [];
  const observation = await Observation.start({
    ...opened(shop.pid),
    mode: 'windows',
    budget: 0.0005,
    followed: ['sdk'],
    warn: (sentence) => said.push(sentence),
  });
  const isTold = () => said.some((one) => one.startsWith('Spans are followed only part of the time'));
  const end = performance.now() + PATIENCE_MILLIS;
  while (!isTold() && performance.now() < end) {
    await runLoad(shop, { rate: 300, seconds: 2 });
  }
  assert.ok(isTold(), `${said}`);
  const events = async () => {
    const { following } = await observation.snapshot();
    return Object.values(following?.events ?? {}).reduce((sum, count) => sum + count, 0);
  };
  // Detaching takes some time; from then on spans begin and end without a hit, until the pause is over.
  let isPaused = false;
  while (!isPaused && performance.now() < end) {
    const before = await events();
    const { requests } = await runLoad(shop, { rate: 50, seconds: 1 });
    isPaused = requests > 0 && (await events()) === before;
  }
  assert.ok(isPaused, 'nothing is followed for a while');
  const { overhead } = await endOf(observation);
  assert.ok(overhead.otherHits > 0);
  assert.ok(overhead.costSeconds >= overhead.otherHits * 1e-6, `${JSON.stringify(overhead)}`);
});

test('mode all counts what following spans costs, to the last hit', async (t) => {
  const shop = await startShop(t, { tracing: 'sdk' });
  const observation = await Observation.start({
    ...opened(shop.pid),
    mode: 'all',
    budget: 0.01,
    followed: ['sdk'],
  });
  const before = (await observation.snapshot()).overhead;
  await runLoad(shop, { rate: 100, seconds: 1 });
  const { overhead, following } = await observation.stop();
  const events = Object.values(following?.events ?? {}).reduce((sum, count) => sum + count, 0);
  assert.ok(events > 100, `${events}`);
  assert.equal(overhead.otherHits, events);
  const lookups = overhead.hits * overhead.trapSeconds + overhead.decodedHits * overhead.decodeSeconds;
  t.diagnostic(`${JSON.stringify(overhead)}, ${lookups} s for lookups`);
  assert.ok(overhead.costSeconds - before.costSeconds >= overhead.otherHits * 1e-7);
});
