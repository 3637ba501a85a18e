import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { mapscope } from '../support/command.ts';
import { ControlGroup } from '../support/control-group.ts';
import { type Fault, inSeconds } from './fault.ts';
import type { Scene, SidecarOptions } from './scene.ts';

/** Another one in its place, as whatever had started it would do. @returns until it observes the service */
async function anotherSidecar(scene: Scene, options?: SidecarOptions): Promise<number> {
  scene.startSidecar(options);
  return await scene.observes();
}

/** Longer than it takes until a sidecar observes something. */
const LIFE_MILLIS = 1500;

const DAY_SECONDS = 86_400;

/** Less than it takes to start, which no limit keeps anybody from setting. */
const TOO_LITTLE_MEGABYTES = 60;

export const OWN_FAULTS: readonly Fault[] = [
  {
    name: 'mapscope: SIGTERM',
    happen: async (scene) => {
      scene.service.kill('SIGSTOP');
      const counted = await scene.told();
      const left = await scene.endSidecar('SIGTERM', 'SIGCONT');
      assert.deepEqual(left, { counted, lost: 0 });
      assert.equal(scene.sidecar.exitCode, 0, scene.sidecar.output);
      const recoveredMillis = await anotherSidecar(scene);
      return { happened: 'exit status 0 after a last export', lost: 0, recoveredMillis };
    },
  },
  {
    name: 'mapscope: SIGKILL',
    happen: async (scene, { kills }) => {
      let [most, recoveredMillis] = [0, 0];
      for (let i = 0; i < kills; i++) {
        const { lost } = await scene.endSidecar('SIGKILL');
        most = Math.max(most, lost);
        scene.startSidecar({ mode: i % 2 === 0 ? 'all' : 'windows' });
        await delay(LIFE_MILLIS * Math.random());
      }
      await scene.endSidecar('SIGKILL');
      recoveredMillis = await anotherSidecar(scene);
      await scene.agree();
      return {
        happened: `${kills + 1} times, at any instant: the target unharmed, nothing left in the kernel; lost is the most of one time`,
        lost: most,
        recoveredMillis,
      };
    },
  },
  {
    name: 'mapscope: out of memory',
    happen: async (scene) => {
      const group = ControlGroup.create(scene.owner, 'memory');
      if (group === undefined) {
        return undefined;
      }
      group.limitMemory(TOO_LITTLE_MEGABYTES);
      const { lost } = await scene.endSidecar('SIGTERM');
      scene.startSidecar({ under: group.under });
      await scene.sidecar.ended();
      assert.ok(group.kills > 0, scene.sidecar.output);
      await scene.leftNothing(new Set());
      const recoveredMillis = await anotherSidecar(scene);
      await scene.agree();
      return {
        happened: `killed by the kernel at ${TOO_LITTLE_MEGABYTES} MB; the target unharmed`,
        lost,
        recoveredMillis,
      };
    },
  },
  {
    name: 'mapscope: full disk for --output',
    happen: async (scene) => {
      const mounted = `mount -t tmpfs -o size=16k none ${scene.folder} && head -c 16k /dev/zero > ${scene.folder}/full`;
      const { status, stderr } = await mapscope(
        [
          ...['attach', '--pid', String(scene.service.pid), '--duration', '1s', '--format', 'json'],
          ...['--output', join(scene.folder, 'report.json')],
        ],
        { under: ['unshare', '--mount', 'sh', '-c', `${mounted}; exec "$@"`, 'sh'] },
      );
      assert.equal(status, 1, stderr);
      assert.match(stderr, /^mapscope: .*report\.json.*no space left on device/im);
      await scene.agree();
      return { happened: 'status 1 with one sentence; the sidecar beside it goes on', lost: 0 };
    },
  },
  {
    name: 'mapscope: 0.1 CPU',
    happen: async (scene, { lasting }) => {
      const group = ControlGroup.create(scene.owner, 'cpu');
      if (group === undefined) {
        return undefined;
      }
      // In the group from its start on: a thread that has a real-time priority just then cannot come into one.
      await scene.endSidecar('SIGTERM');
      await anotherSidecar(scene, { under: group.under });
      group.limitCpu(0.1);
      await delay(1000 * lasting);
      await scene.observes();
      const counted = await scene.agree();
      await scene.endSidecar('SIGTERM');
      const recoveredMillis = await anotherSidecar(scene);
      return {
        happened: `${inSeconds(lasting)}; all ${counted} lookups arrived, later than usual`,
        lost: 0,
        recoveredMillis,
      };
    },
  },
  {
    name: 'clock steps',
    happen: async (scene, { lasting }) => {
      const [library, error] = [join(scene.folder, 'clock.so'), join(scene.folder, 'clock')];
      const source = join(import.meta.dirname, 'fixtures/clock.c');
      execFileSync('cc', ['-Wall', '-Werror', '-shared', '-fPIC', '-o', library, source, '-ldl']);
      const env = { LD_PRELOAD: library, CLOCK: error };
      writeFileSync(error, String(DAY_SECONDS));
      const now = execFileSync(process.execPath, ['-p', 'Date.now()'], { env, encoding: 'utf8' });
      assert.ok(Number(now) > Date.now() + 500 * DAY_SECONDS, 'the library takes effect');
      writeFileSync(error, '0');
      await scene.endSidecar('SIGTERM');
      await anotherSidecar(scene, { env });
      for (const seconds of [3600, -3600, 0, -DAY_SECONDS, 0]) {
        writeFileSync(error, String(seconds));
        await delay((1000 * lasting) / 4);
        await scene.observes();
      }
      await scene.agree();
      await scene.endSidecar('SIGTERM');
      const recoveredMillis = await anotherSidecar(scene);
      return {
        happened: 'an hour on and back, a day back and on; no series goes back',
        lost: 0,
        recoveredMillis,
      };
    },
  },
];
