import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cycles } from '../bench/cycles.ts';

test('200 windows on a target under full load leave nothing behind', { timeout: 300_000 }, async () => {
  const { seconds, hits, blocks, rssGrowthMB, ...rest } = await cycles(200);
  assert.ok(hits > 1000 && blocks > 10 && seconds > 0, `${hits} hits, ${blocks} blocks`);
  assert.deepEqual(rest, {
    cycles: 200,
    outputIsTheSame: true,
    changedInstructions: 0,
    leakedFiles: {},
    leakedTargetFiles: 0,
  });
  assert.ok(rssGrowthMB < 64, `${rssGrowthMB} MB`);
});
