/* Runs the image under runc in the way in which Kubernetes runs the container of a manifest. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../tools/package/run.ts';
import type { Owner } from '../support/service.ts';
import { command, type Mapscope } from './observed.ts';
import { packed } from './packed.ts';
import { debianCommand } from './system.ts';

/** What the tests set of a container in a manifest. */
export interface ContainerSpec {
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly securityContext: SecurityContext;
  readonly resources: { readonly limits: { readonly memory: string } };
}

interface SecurityContext {
  readonly runAsUser: number;
  readonly allowPrivilegeEscalation: boolean;
  readonly readOnlyRootFilesystem: boolean;
  readonly capabilities: { readonly add: readonly string[]; readonly drop: readonly string[] };
}

export interface Surroundings {
  /** A process whose process ids the container shares; undefined: the host's. */
  readonly sharedWith?: number;
  /** Capabilities of the manifest that are taken away. */
  readonly without?: readonly string[];
}

/** What containerd hides of /proc and /sys, and what it makes read-only. */
const MASKED = ['acpi', 'asound', 'kcore', 'keys', 'latency_stats', 'timer_list', 'sched_debug', 'scsi'];
const READ_ONLY = ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'];

const MOUNTS = [
  { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
  { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=65536k'] },
  { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', 'ro'] },
];

/** mapscope in a container of a manifest. Each call is a container of its own. */
export async function inContainer(
  owner: Owner,
  spec: ContainerSpec,
  surroundings: Surroundings,
): Promise<Mapscope> {
  const runc = await debianCommand('runc');
  const { root } = await packed();
  const bundle = await mkdtemp(join(tmpdir(), 'mapscope-bundle-'));
  owner.after(() => rm(bundle, { recursive: true, force: true }));
  let count = 0;
  return async (args) => {
    const id = `mapscope-test-${process.pid}-${count++}`;
    const config = configuration(root, args, spec, surroundings, id);
    await writeFile(join(bundle, 'config.json'), JSON.stringify(config));
    const outcome = await command([runc, 'run', '--bundle', bundle, id], { PATH: process.env.PATH ?? '' })(
      [],
    );
    await run(runc, ['delete', '--force', id]).catch(() => {});
    return outcome;
  };
}

function configuration(
  root: string,
  args: readonly string[],
  { securityContext, env, resources }: ContainerSpec,
  { sharedWith, without = [] }: Surroundings,
  id: string,
) {
  const { add, drop } = securityContext.capabilities;
  if (drop.join() !== 'ALL') {
    throw new Error('the manifest does not drop all capabilities');
  }
  const rights = add.filter((name) => !without.includes(name)).map((name) => `CAP_${name}`);
  const variables = env.flatMap(({ name, value }) => (value === undefined ? [] : [`${name}=${value}`]));
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: securityContext.runAsUser, gid: securityContext.runAsUser },
      args: ['/usr/bin/mapscope', ...args],
      env: variables,
      cwd: '/',
      capabilities: { bounding: rights, effective: rights, permitted: rights },
      noNewPrivileges: !securityContext.allowPrivilegeEscalation,
    },
    root: { path: root, readonly: securityContext.readOnlyRootFilesystem },
    hostname: 'mapscope',
    mounts: MOUNTS,
    linux: {
      cgroupsPath: `/${id}`,
      resources: { memory: { limit: bytes(resources.limits.memory) } },
      // The network is shared, as it is within a pod.
      namespaces: [
        { type: 'mount' },
        { type: 'ipc' },
        { type: 'uts' },
        ...(sharedWith === undefined ? [] : [{ type: 'pid', path: `/proc/${sharedWith}/ns/pid` }]),
      ],
      maskedPaths: [...MASKED.map((name) => `/proc/${name}`), '/sys/firmware'],
      readonlyPaths: READ_ONLY.map((name) => `/proc/${name}`),
    },
  };
}

/** A quantity of Kubernetes' in mebibytes. */
function bytes(quantity: string): number {
  const mebibytes = /^(\d+)Mi$/.exec(quantity)?.[1];
  if (mebibytes === undefined) {
    throw new Error(`${quantity} is no number of Mi`);
  }
  return Number(mebibytes) * 2 ** 20;
}
