// What is seen of a process survives the failure of one of its images.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObservedTarget } from '../../src/session/observed-target.ts';
import { type Later, observeThroughExecs } from '../../src/session/through-execs.ts';
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

const never = (): Promise<never> => Promise.reject(new Error('nothing is started anew'));
const nothingLater: Later = async () => [];

test('an image that cannot be told of any more does not keep the others from it', async () => {
  const failure = new Error('the counts cannot be read');
  const fails = image(() => Promise.reject(failure));
  const works = image(() => Promise.resolve(SEEN));
  for (const running of [
    [fails, works],
    [works, fails],
  ] as const) {
    const seen = await observeThroughExecs(running, Promise.resolve(undefined), never, nothingLater);
    assert.deepEqual(seen, { images: [{ target: TARGET, snapshot: SEEN, program: 0 }], failure });
  }
  assert.deepEqual(await observeThroughExecs([fails], Promise.resolve(undefined), never, nothingLater), {
    images: [],
    failure,
  });
});

test('what is added while the observation ends, ends with it and is told of', async () => {
  const ended: string[] = [];
  const named = (name: string) =>
    image(() => {
      ended.push(name);
      return Promise.resolve(SEEN);
    });
  const [first, second] = [named('first'), named('second')];
  const startedAtTheEnd: Later = (_, over) =>
    new Promise((resolve) => {
      over.addEventListener('abort', () => resolve([second]));
    });
  const { images } = await observeThroughExecs([first], Promise.resolve(undefined), never, startedAtTheEnd);
  assert.deepEqual(ended, ['first', 'second']);
  assert.equal(images.length, 2);
});
