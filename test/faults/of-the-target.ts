import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { ControlGroup } from '../support/control-group.ts';
import { until } from '../support/until.ts';
import { type Extent, type Fault, inSeconds, type Outcome } from './fault.ts';
import type { Scene } from './scene.ts';

/** The service is stopped, so that it makes no further lookup, and killed: mapscope tells of its last one. */
async function killed(scene: Scene): Promise<number> {
  const { pid } = scene.service;
  scene.service.kill('SIGSTOP');
  const counted = await settled(scene);
  scene.service.kill('SIGKILL');
  await scene.service.ended();
  await until(
    () => scene.received.of(pid) === counted,
    () => `the kernel has counted ${counted} of ${pid}, the receiver was told of ${scene.received.of(pid)}`,
  );
  return counted;
}

/** What the kernel has counted when a window that was open has ended. */
async function settled(scene: Scene): Promise<number> {
  let counted = -1;
  await until(async () => {
    const before = counted;
    counted = scene.counted;
    await delay(50);
    return counted === before;
  }, 'the kernel counts no more');
  return counted;
}

async function restarted(scene: Scene, times: number): Promise<Outcome> {
  let recoveredMillis = 0;
  for (let i = 0; i < times; i++) {
    await killed(scene);
    await scene.startService();
    recoveredMillis = Math.max(recoveredMillis, await scene.observes());
  }
  await scene.agree();
  return {
    happened: `${times === 1 ? 'once' : `${times} times`}; each process has a series of its own`,
    lost: 0,
    recoveredMillis,
  };
}

/** A state in which the service does nothing: it is told of all the same, and goes on afterwards. */
async function resting(
  scene: Scene,
  { lasting }: Extent,
  begin: () => Promise<void>,
  end: () => Promise<void>,
): Promise<Outcome> {
  await begin();
  const counted = await scene.told();
  const { requests } = scene.receiver;
  await delay(1000 * lasting);
  await until(() => scene.receiver.requests > requests, 'mapscope goes on exporting');
  assert.equal(scene.counted, counted);
  await end();
  const recoveredMillis = await scene.observes();
  await scene.agree();
  return { happened: `${inSeconds(lasting)}; nothing was counted meanwhile`, lost: 0, recoveredMillis };
}

export const TARGET_FAULTS: readonly Fault[] = [
  {
    name: 'target killed',
    happen: (scene) => restarted(scene, 1),
  },
  {
    name: 'target restarted in a loop',
    happen: (scene, { restarts }) => restarted(scene, restarts),
  },
  {
    name: 'target stopped',
    happen: (scene, extent) =>
      resting(
        scene,
        extent,
        async () => void scene.service.kill('SIGSTOP'),
        async () => void scene.service.kill('SIGCONT'),
      ),
  },
  {
    name: 'target frozen',
    happen: async (scene, extent) => {
      const group = ControlGroup.create(scene.owner, 'freezer');
      group?.add(scene.service.pid);
      return (
        group &&
        (await resting(
          scene,
          extent,
          () => group.freeze(),
          async () => group.thaw(),
        ))
      );
    },
  },
  {
    name: 'target upgraded in place',
    happen: async (scene) => {
      await scene.install('other');
      // The old one is observed on, although its file is gone.
      await scene.observes();
      await scene.agree();
      const outcome = await restarted(scene, 1);
      await scene.install('usual');
      return { ...outcome, happened: 'the old process was observed to its end, then the new program' };
    },
  },
];
