// What is seen of a process survives the failure of one of its images.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObservedTarget } from '../../src/session/observed-target.ts';
import { observeThroughExecs } from '../../src/session/through-execs.ts';
import { callSite, snapshot, TARGET } from '../model/fixtures.ts';

const SEEN = snapshot([callSite(3)]);

/** An image whose observation ends so. */
function image(stop: () => Promise<typeof SEEN>): ObservedTarget {
  const never = new Promise<never>(() => {});
  const parts = {
    target: TARGET,
    replaced: never,
    failed: never,
    stop,
    isReplaced: () => false,
    hasLostMainThread: () => false,
    countsTheNextImage: async () => false,
  };
  return parts as unknown as ObservedTarget;
}

test('an image that cannot be told of any more does not keep the others from it', async () => {
  const failure = new Error('the counts cannot be read');
  const fails = image(() => Promise.reject(failure));
  const works = image(() => Promise.resolve(SEEN));
  const never = (): Promise<never> => Promise.reject(new Error('nothing is started anew'));
  for (const running of [
    [fails, works],
    [works, fails],
  ] as const) {
    const seen = await observeThroughExecs(running, Promise.resolve(undefined), never);
    assert.deepEqual(seen, { images: [{ target: TARGET, snapshot: SEEN }], failure });
  }
  assert.deepEqual(await observeThroughExecs([fails], Promise.resolve(undefined), never), {
    images: [],
    failure,
  });
});
