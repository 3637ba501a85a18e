import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { containerId, containerIdOf } from '../../src/target/container.ts';

const ID = '0123456789abcdef'.repeat(4);
const OUTER = 'fedcba9876543210'.repeat(4);

for (const [runtime, text, expected] of [
  ['Docker, cgroup 1', `12:cpu,cpuacct:/docker/${ID}\n11:memory:/docker/${ID}\n`, ID],
  ['Docker, systemd', `0::/system.slice/docker-${ID}.scope\n`, ID],
  ['containerd', `0::/kubepods.slice/kubepods-pod0b1c_22.slice/cri-containerd-${ID}.scope`, ID],
  ['containerd with colons', `1:name=systemd:/kubepods-pod1.slice:cri-containerd:${ID}`, ID],
  ['CRI-O', `0::/kubepods.slice/crio-${ID}.scope/container`, ID],
  ['Podman', `0::/user.slice/libpod-${ID}.scope/container`, ID],
  ['nested', `0::/docker/${OUTER}/kubelet/kubepods/burstable/pod1234/${ID}`, ID],
  ['relative to a name space', `0::/../cri-containerd-${ID}.scope`, ID],
  [
    'ECS',
    '9:cpu:/ecs/4d1f/0123456789abcdef0123456789abcdef-1234567890',
    '0123456789abcdef0123456789abcdef-1234567890',
  ],
  ['hidden by a name space', '0::/\n', undefined],
  ['no container', '0::/user.slice/user-1000.slice/session-2.scope', undefined],
  ['65 digits are no id', `0::/docker/${ID}0`, undefined],
  ['nothing', '', undefined],
] as const) {
  test(`container id: ${runtime}`, () => {
    assert.equal(containerIdOf(text), expected);
  });
}

/** Makes a control group in the unified hierarchy, else in one without limits of its own; undefined where that cannot be. */
function makeGroup(name: string): string | undefined {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const mount =
    mounts.find((line) => line.split(' ')[2] === 'cgroup2') ??
    mounts.find((line) => / cgroup .*freezer/.test(line));
  const group = join(mount?.split(' ')[1] ?? '/sys/fs/cgroup', name);
  try {
    mkdirSync(group);
    return group;
  } catch {
    return undefined;
  }
}

test('a process in a control group as a container runtime makes it', async (context) => {
  if (containerId(process.pid) !== undefined) {
    return context.skip('the tests run in a container themselves');
  }
  const group = makeGroup(`docker-${ID}.scope`);
  if (group === undefined) {
    return context.skip('control groups cannot be made here');
  }
  const child = spawn('sleep', ['60']);
  const pid = child.pid ?? assert.fail('it did not start');
  try {
    assert.equal(containerId(pid), undefined);
    writeFileSync(join(group, 'cgroup.procs'), String(pid));
    assert.equal(containerId(pid), ID);
  } finally {
    const ended = once(child, 'close');
    child.kill('SIGKILL');
    await ended;
    rmdirSync(group);
  }
  assert.equal(containerId(pid), undefined, 'it has ended');
});
