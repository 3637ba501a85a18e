import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../support/until.ts';
import { type Extent, type Fault, inSeconds, type Outcome } from './fault.ts';
import type { Scene } from './scene.ts';

/** From when a receiver is well again until there are lookups in it: what failed is tried again within seconds. */
const MOST_RECOVERY_MILLIS = 30_000;

/** What mapscope says when exports begin to fail, and when they no longer do: each once. */
const FAILING = 'Metrics do not reach';
const WELL = 'again, after';

/**
 * While the receiver is ill the kernel counts on, and afterwards the receiver is told of all of it.
 *
 * @param seconds how long it lasts
 * @param isTold whether it is so ill that exports fail, of which mapscope tells
 */
async function outage(
  scene: Scene,
  seconds: number,
  isTold: boolean,
  begin: () => Promise<void>,
  end: () => Promise<void>,
): Promise<Outcome> {
  const { sidecar } = scene;
  const before = scene.counted;
  await begin();
  await delay(1000 * seconds);
  if (isTold) {
    await sidecar.until(() => isFailing(sidecar.output) || undefined);
  }
  await until(() => scene.counted > before, 'the kernel counts on');
  await end();
  const recoveredMillis = await scene.observes();
  assert.ok(recoveredMillis < MOST_RECOVERY_MILLIS, `${recoveredMillis} ms`);
  const total = await scene.agree();
  await sidecar.until(() => !isFailing(sidecar.output) || undefined);
  return { happened: `${inSeconds(seconds)}; all ${total} lookups arrived later`, lost: 0, recoveredMillis };
}

function isFailing(said: string): boolean {
  return said.lastIndexOf(FAILING) > said.lastIndexOf(WELL);
}

export const RECEIVER_FAULTS: readonly Fault[] = [
  {
    name: 'receiver down',
    happen: (scene, { outage: seconds }) =>
      outage(
        scene,
        seconds,
        true,
        () => scene.front.set('is away'),
        () => scene.front.set('passes on'),
      ),
  },
  {
    name: 'receiver half-open',
    happen: (scene, { lasting }) =>
      outage(
        scene,
        lasting,
        true,
        () => scene.front.set('takes and never answers'),
        () => scene.front.set('passes on'),
      ),
  },
  {
    name: 'receiver refuses',
    happen: (scene, { lasting }) => answering(scene, lasting, { refuses: true }),
  },
  {
    name: 'receiver slow',
    happen: (scene, { lasting }) => answering(scene, lasting, { delayMillis: 1200 }),
  },
];

/** It takes connections, and answers in another way than usual. */
function answering(
  scene: Scene,
  seconds: Extent['lasting'],
  how: Partial<Scene['receiver']>,
): Promise<Outcome> {
  return outage(
    scene,
    seconds,
    false,
    async () => void Object.assign(scene.receiver, how),
    async () => void Object.assign(scene.receiver, { refuses: false, delayMillis: 0 }),
  );
}
