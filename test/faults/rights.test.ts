// As nobody, with the capabilities and system calls of the manifests: it observes, bears faults, and needs each of them.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { CAPABILITIES } from '../../src/base/capabilities.ts';
import { mapscope } from '../support/command.ts';
import { leastRights } from '../support/least-rights.ts';
import { until } from '../support/until.ts';
import { SHORT } from './fault.ts';
import { FAULTS } from './list.ts';
import { Scene } from './scene.ts';

const LIMIT = { timeout: 180_000 };

/** The service runs as another user. */
const OF_ANOTHER_USER = ['setpriv', '--reuid=1234', '--regid=1234', '--clear-groups'];

async function sceneOf(context: TestContext): Promise<Scene> {
  const scene = await Scene.create({ after: (end) => context.after(end) });
  await scene.startService(OF_ANOTHER_USER);
  return scene;
}

/** TCP and UDP sockets of a process that take what comes. */
function openPorts(pid: number): string[] {
  const own = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        return ''; // It has been closed.
      }
    }),
  );
  const LISTENS = '0A';
  return ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((protocol) =>
    readFileSync(`/proc/${pid}/net/${protocol}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(
        ([, , , state, , , , , , inode]) =>
          own.has(`socket:[${inode}]`) && (state === LISTENS || protocol.startsWith('udp')),
      )
      .map(([, local = '']) => `${protocol} ${local}`),
  );
}

const BORNE = ['receiver refuses', 'target killed', 'target stopped', 'target upgraded in place'];

test(
  'with just these rights a service of another user is observed through faults',
  LIMIT,
  async (context) => {
    const scene = await sceneOf(context);
    scene.startSidecar({ under: leastRights(context) });
    await scene.observes();
    const status = readFileSync(`/proc/${scene.sidecar.pid}/status`, 'utf8');
    for (const line of [/^Uid:\s+65534\s/m, /^NoNewPrivs:\s+1$/m, /^Seccomp:\s+2$/m]) {
      assert.match(status, line);
    }
    for (const { happen } of FAULTS.filter(({ name }) => BORNE.includes(name))) {
      await happen(scene, SHORT);
    }
    assert.deepEqual(openPorts(scene.sidecar.pid), [], 'nothing listens that nobody has asked for');
    assert.doesNotMatch(scene.sidecar.output, /not permitted|not allowed/);
    await scene.endSidecar('SIGTERM');
    assert.equal(scene.sidecar.exitCode, 0, scene.sidecar.output);
  },
);

test('the page is the one socket that listens', LIMIT, async (context) => {
  const scene = await sceneOf(context);
  scene.startSidecar({ under: leastRights(context), options: ['--ui', '127.0.0.1:0'] });
  await scene.observes();
  await until(
    () => openPorts(scene.sidecar.pid).length === 1,
    () => `${openPorts(scene.sidecar.pid)}`,
  );
});

/** What a sidecar says, or doctor, without one of them. */
const WITHOUT: Readonly<Record<string, RegExp>> = {
  BPF: /this process cannot use BPF.*CAP_BPF/s,
  PERFMON: /MISSING/,
  SYS_PTRACE: /is not allowed to look at process \d+, which runs as user 1234 and not as 65534/,
  SYS_NICE: /^ {2}limited windows /m,
};

for (const { name } of CAPABILITIES) {
  test(`without CAP_${name} something is missing, and doctor says what`, LIMIT, async (context) => {
    const scene = await sceneOf(context);
    const under = leastRights(context, { without: name });
    const { stdout, status } = await mapscope(['doctor', '--pid', String(scene.service.pid)], { under });
    assert.match(stdout, WITHOUT[name] ?? assert.fail(`nothing is known of CAP_${name}`));
    assert.equal(status, name === 'SYS_NICE' ? 0 : 3);
  });
}

for (const call of ['bpf', 'sched_setattr']) {
  test(
    `without the system call ${call} it is missed, and nothing is believed to be well`,
    LIMIT,
    async (context) => {
      const scene = await sceneOf(context);
      const under = leastRights(context, { withoutCall: call });
      const { stdout } = await mapscope(['doctor', '--pid', String(scene.service.pid)], { under });
      assert.match(stdout, /^ {2}(MISSING|limited) /m);
    },
  );
}
