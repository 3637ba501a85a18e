import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mock, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { timeLimit } from '../../src/base/time-limit.ts';

test('a limit is kept, also one that is longer than a timer of Node', async () => {
  await once(timeLimit(1), 'abort');
  const long = timeLimit(2 ** 31);
  // Node fires a timer that is too long after a millisecond, so before this one.
  await delay(20);
  assert.equal(long.aborted, false);
  mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  const clock = mock.method(performance, 'now', () => now);
  const pass = (millis: number) => {
    now += millis;
    mock.timers.tick(millis);
  };
  const days = 86_400_000;
  const limit = timeLimit(60 * days);
  for (let day = 0; day < 59; day++) {
    pass(days);
    assert.equal(limit.aborted, false, `${day}`);
  }
  pass(days);
  assert.equal(limit.aborted, true);
  clock.mock.restore();
  mock.timers.reset();
});
