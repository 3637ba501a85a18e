// The image under the rights of its manifests: it observes a service of another user, in namespaces of its own, and exports.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { CAPABILITIES } from '../../src/base/capabilities.ts';
import { ROOT } from '../../tools/package/product.ts';
import type { Owner } from '../support/service.ts';
import { type ContainerSpec, inContainer } from './container.ts';
import { checkInstalled, startService } from './observed.ts';

const MANIFESTS = join(ROOT, 'otel-config/kubernetes');
const document = (path: string) => parse(readFileSync(join(MANIFESTS, path), 'utf8'));

const NATIVE: ContainerSpec = document('components/native-sidecar/patch.yaml').spec.template.spec
  .initContainers[0];
const PLAIN: ContainerSpec = document('components/sidecar/patch.yaml').spec.template.spec.containers[0];
const DAEMON: ContainerSpec = document('overlays/daemonset/daemonset.yaml').spec.template.spec.containers[0];
const JOB: ContainerSpec = document('overlays/job/job.yaml').spec.template.spec.initContainers[0];

const OTHER_USER = 65532;
/** What the service's own variables call it. */
const NAME = 'steady-of-the-pod';

const AS_OTHER_USER = [
  'setpriv',
  `--reuid=${OTHER_USER}`,
  `--regid=${OTHER_USER}`,
  '--clear-groups',
  '--bounding-set=-all',
  '--inh-caps=-all',
  '--no-new-privs',
];

/** A service as a pod with shared process ids has it: another user, and process ids and mounts of the pod's own. */
async function startPod(owner: Owner): Promise<{ host: number; inside: number }> {
  const pod = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  let host = 0;
  // `unshare` does not hand signals on.
  const pods: Owner = {
    after: (end) =>
      owner.after(async () => {
        killIfThere(host);
        await end();
      }),
  };
  const service = await startService(pods, [...pod, ...AS_OTHER_USER], { OTEL_SERVICE_NAME: NAME });
  const children = readFileSync(`/proc/${service.pid}/task/${service.pid}/children`, 'utf8');
  host = Number(children.trim());
  const ids = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${host}/status`, 'utf8'))?.[1]?.split(/\s+/) ?? [];
  return { host, inside: Number(ids.at(-1)) };
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It has ended.
  }
}

test('the manifests of a pod have the same rights', () => {
  for (const spec of [PLAIN, DAEMON, JOB]) {
    assert.deepEqual(spec.securityContext, NATIVE.securityContext);
  }
  assert.deepEqual(
    NATIVE.securityContext.capabilities.add,
    CAPABILITIES.map(({ name }) => name),
  );
});

test('beside a service it observes and exports to a Collector', async (context) => {
  const pod = await startPod(context);
  const mapscope = await inContainer(context, NATIVE, { sharedWith: pod.host });
  const resource = await checkInstalled(context, mapscope, pod.inside);
  assert.equal(resource['service.name'], NAME);
});

test('on a node it observes services of all pods', async (context) => {
  const pod = await startPod(context);
  await checkInstalled(context, await inContainer(context, DAEMON, {}), pod.host);
});

for (const { name } of CAPABILITIES) {
  test(`without ${name} it does less, and says so`, async (context) => {
    const pod = await startPod(context);
    const mapscope = await inContainer(context, NATIVE, { sharedWith: pod.host, without: [name] });
    const { stdout } = await mapscope(['doctor', '--pid', String(pod.inside)]);
    const { status } = await mapscope(['attach', '--pid', String(pod.inside), '--duration', '1s']);
    const isNeeded = name !== 'SYS_NICE';
    assert.equal(status, isNeeded ? 3 : 0, stdout);
    assert.match(stdout, isNeeded ? /^ {2}MISSING /m : /^ {2}limited windows /m);
  });
}
