import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { SpanFollower } from '../../src/programs/span-follower.ts';
import { startShop } from '../support/shop.ts';
import { judge, observeShop } from './candidates.ts';

const LONG = { timeout: 300_000 };

/** Writes down what is done to the kernel's side of a follower, in order. */
function witness({ kernel }: SpanFollower): string[] {
  const seen: string[] = [];
  const { attach, detach, updateMap } = kernel;
  const during =
    <A extends unknown[]>(name: string, work: (...args: A) => Promise<void>) =>
    async (...args: A) => {
      seen.push(`${name} begins`);
      await work.apply(kernel, args);
      seen.push(`${name} ends`);
    };
  const noteGeneration = (...args: Parameters<typeof updateMap>) => {
    seen.push(`generation ${Buffer.from(args[2]).readUInt32LE(0)}`);
    updateMap.apply(kernel, args);
  };
  // Methods of the addon cannot be assigned to.
  Object.defineProperty(kernel, 'attach', { value: during('attach', attach) });
  Object.defineProperty(kernel, 'detach', { value: during('detach', detach) });
  Object.defineProperty(kernel, 'updateMap', { value: noteGeneration });
  return seen;
}

for (const [tracing, followed] of [
  ['sdk', ['sdk']],
  ['none', ['http', 'grpc']],
] as const) {
  test(`${followed}: probes that are taken out and put in again never tell a wrong span`, LONG, async (t) => {
    const attach = t.mock.method(SpanFollower.prototype, 'attach');
    const shop = await startShop(t, { tracing });
    let over = false;
    const load = { rate: 400, seconds: 8, sample: 1 };
    const observing = observeShop(shop, { followed, load }).finally(() => {
      over = true;
    });
    let turns = 0;
    while (!over) {
      const follower = attach.mock.calls[0]?.this as SpanFollower | undefined;
      await wait(10 + (turns % 7) * 8);
      if (follower === undefined) {
        continue;
      }
      await follower.detach().catch(ignoreClosed);
      await wait(turns % 5);
      await follower.attach().catch(ignoreClosed);
      turns++;
    }
    const seen = await observing;
    const candidates = seen.candidates.filter((c) => c.callSite.function.startsWith('main.'));
    const { right, otherSpan, wrong } = judge({ ...seen, candidates });
    assert.deepEqual([wrong, otherSpan], [[], 0]);
    assert.ok(turns > 20 && right > 500, `${turns} turns, ${right} right`);
  });
}

test('spans are known only while all probes are in, also when calls come at once', LONG, async (t) => {
  const attach = t.mock.method(SpanFollower.prototype, 'attach');
  const shop = await startShop(t);
  let seen: string[] = [];
  const meanwhile = async () => {
    while (attach.mock.callCount() === 0) {
      await wait(10);
    }
    const follower = attach.mock.calls[0]?.this as SpanFollower;
    await attach.mock.calls[0]?.result;
    seen = witness(follower);
    await Promise.all([follower.detach(), follower.attach(), follower.attach(), follower.detach()]);
    await follower.attach();
  };
  await Promise.all([observeShop(shop, { followed: ['sdk'], load: { rate: 100, seconds: 3 } }), meanwhile()]);
  const out = ['generation 0', 'detach begins', 'detach ends'];
  const back = (generation: number) => ['attach begins', 'attach ends', `generation ${generation}`];
  assert.deepEqual(seen.slice(0, 24), [out, out, back(2), out, back(3), out, out, back(4)].flat());
});

/** The observation may end in the middle of a turn. */
function ignoreClosed(error: NodeJS.ErrnoException): void {
  assert.ok(['EBADF', 'ECANCELED'].includes(error.code ?? ''), error.message);
}
