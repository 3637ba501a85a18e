import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Target } from '../../src/model/target.ts';
import { parseResourceAttributes, targetResource } from '../../src/otel/resource/resource.ts';
import { TARGET } from '../model/fixtures.ts';

function attributes(
  target: Partial<Target> = {},
  environment: Record<string, string> = {},
): Record<string, unknown> {
  return targetResource({ ...TARGET, ...target }, { environment }).attributes;
}

/** The same without what differs from process to process and version to version. */
function golden(target: Partial<Target>, environment: Record<string, string> = {}): Record<string, unknown> {
  const {
    'service.instance.id': instance,
    'telemetry.distro.version': version,
    ...rest
  } = attributes(target, environment);
  assert.match(String(instance), /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.match(String(version), /^\d+\.\d+\.\d+/);
  return rest;
}

/** What is said of the process wherever it runs. */
const PROCESS = {
  'service.name': 'shop',
  'process.pid': 4711,
  'process.executable.name': 'shop',
  'process.executable.path': '/opt/shop/bin/shop',
  'process.runtime.name': 'go',
  'process.runtime.version': 'go1.26.1',
  'telemetry.distro.name': 'mapscope',
};
const UID = '0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0';
const OTHER_UID = 'f0b1c2d3-4f50-6172-8394-a5b6c7d8e9f0';
const KUBERNETES = { KUBERNETES_SERVICE_HOST: '10.0.0.1' };
/** What an operator or a chart gives to each container, here mapscope's own. */
const INJECTED = {
  ...KUBERNETES,
  OTEL_SERVICE_NAME: 'mapscope',
  OTEL_RESOURCE_ATTRIBUTES:
    'service.instance.id=prod.shop-1.mapscope,service.version=9.9,k8s.container.name=mapscope,container.id=ab,process.pid=1,' +
    'k8s.pod.name=sidecar-1,k8s.cluster.name=west,deployment.environment.name=prod',
};

test('golden: a bare machine', () => {
  assert.deepEqual(golden({ buildId: 'abc/def', moduleVersion: 'v1.2.3', hostName: 'box' }), {
    ...PROCESS,
    'service.version': 'v1.2.3',
    'host.name': 'box',
    'process.executable.build_id.go': 'abc/def',
  });
});

test('golden: a container, seen from outside', () => {
  const target = {
    ownPid: 1,
    hostName: '3f2a',
    containerId: 'c0ffee',
    environment: { CONTAINER_NAME: 'x' },
    pod: { isOurs: true },
  };
  assert.deepEqual(golden(target, { NODE_NAME: 'agent' }), {
    ...PROCESS,
    'process.pid': 1,
    'host.name': '3f2a',
    'container.id': 'c0ffee',
  });
});

test('golden: a sidecar in the pod', () => {
  const target: Partial<Target> = {
    containerId: 'c0ffee',
    pod: { isOurs: true },
    environment: { ...KUBERNETES, CONTAINER_NAME: 'shop' },
  };
  const own = {
    ...INJECTED,
    POD_NAME: 'shop-1',
    POD_NAMESPACE: 'prod',
    NODE_NAME: 'n1',
    CONTAINER_NAME: 'mapscope',
  };
  assert.deepEqual(golden(target, own), {
    ...PROCESS,
    'container.id': 'c0ffee',
    // The declared name wins over the variable, as it does for the application's own telemetry.
    'k8s.pod.name': 'sidecar-1',
    'k8s.namespace.name': 'prod',
    'k8s.node.name': 'n1',
    'k8s.container.name': 'shop',
    'k8s.cluster.name': 'west',
    'deployment.environment.name': 'prod',
  });
});

test('golden: a sidecar per node', () => {
  const target: Partial<Target> = {
    ownPid: 1,
    containerId: 'c0ffee',
    pod: { isOurs: false, uid: UID, namespace: 'shops' },
    environment: KUBERNETES,
  };
  const own = {
    ...INJECTED,
    K8S_NODE_NAME: 'n1',
    POD_NAME: 'mapscope-x',
    POD_NAMESPACE: 'tools',
    POD_UID: OTHER_UID,
    OTEL_RESOURCE_ATTRIBUTES_DEPLOYMENT_NAME: 'mapscope',
  };
  assert.deepEqual(golden(target, own), {
    ...PROCESS,
    'process.pid': 1,
    'container.id': 'c0ffee',
    'k8s.pod.uid': UID,
    'k8s.namespace.name': 'shops',
    'k8s.node.name': 'n1',
    'k8s.cluster.name': 'west',
    'deployment.environment.name': 'prod',
  });
});

test('golden: variables of build servers, in Kubernetes and outside', () => {
  const jenkins = { CI: 'true', NODE_NAME: 'agent-7', CONTAINER_NAME: 'jnlp', POD_NAME: 'job' };
  assert.deepEqual(golden({ environment: jenkins }, jenkins), PROCESS);
  const environment = { ...jenkins, ...KUBERNETES };
  assert.deepEqual(golden({ environment, pod: { isOurs: true } }, environment), PROCESS);
});

test('several processes that inherit one service.instance.id do not share it', () => {
  const environment = { OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=a' };
  const id = (key: string, taken: boolean): unknown =>
    targetResource({ ...TARGET, environment, key }, { environment: {}, isTaken: () => taken }).attributes[
      'service.instance.id'
    ];
  assert.equal(id('1', false), 'a');
  assert.notEqual(id('2', true), 'a');
  assert.notEqual(id('2', true), id('3', true));
});

test('service.name: the target says, else the sidecar, else the executable', () => {
  const name = (theirs: Record<string, string>, own: Record<string, string>): unknown =>
    attributes({ environment: theirs }, own)['service.name'];
  const theirs = { OTEL_SERVICE_NAME: 'theirs', OTEL_RESOURCE_ATTRIBUTES: 'service.name=theirs-too' };
  const own = { OTEL_SERVICE_NAME: 'own', OTEL_RESOURCE_ATTRIBUTES: 'service.name=no' };
  assert.equal(name(theirs, own), 'theirs');
  assert.equal(name({ OTEL_RESOURCE_ATTRIBUTES: 'service.name=attr' }, own), 'attr');
  assert.equal(name({ OTEL_SERVICE_NAME: '' }, own), 'own');
  assert.equal(name({}, { OTEL_RESOURCE_ATTRIBUTES: 'service.name=own' }), 'own');
  assert.equal(name({}, { OTEL_SERVICE_NAME: 'mapscope' }), 'shop');
  assert.equal(name({}, {}), 'shop');
});

test('arguments may hold secrets and do not get out', () => {
  assert.equal(attributes()['process.command_args'], undefined);
});

test('no other variable of the target gets out', () => {
  const text = JSON.stringify(attributes({ environment: { DATABASE_PASSWORD: 'hunter2' } }));
  assert.ok(!text.includes('hunter2'));
});

test('an instance keeps its id, another process has another', () => {
  const id = (target: Partial<Target>): unknown => attributes(target)['service.instance.id'];
  assert.equal(id({}), id({ exitCode: 1, containerId: 'now visible', pid: 1 }));
  assert.notEqual(id({}), id({ key: 'other' }));
});

test('the conventions that the names are of are said', () => {
  const { schemaUrl } = targetResource(TARGET, { environment: {} });
  assert.equal(schemaUrl, 'https://opentelemetry.io/schemas/1.44.0');
});

test('attributes that cannot be understood are told', () => {
  const said: string[] = [];
  targetResource(
    { ...TARGET, environment: { OTEL_RESOURCE_ATTRIBUTES: 'a=1,b' } },
    { environment: { OTEL_RESOURCE_ATTRIBUTES: 'c' }, log: (_level, sentence) => said.push(sentence) },
  );
  const ignored =
    'is ignored as a whole: it must be key=value pairs with commas between them, values percent-encoded.';
  assert.deepEqual(said.toSorted(), [
    `OTEL_RESOURCE_ATTRIBUTES of mapscope ${ignored}`,
    `OTEL_RESOURCE_ATTRIBUTES of the target ${ignored}`,
  ]);
});

test('OTEL_RESOURCE_ATTRIBUTES is decoded, and ignored as a whole when malformed', () => {
  assert.deepEqual(parseResourceAttributes('a=1, b = x%20y ,c=k=v,'), { a: '1', b: 'x y', c: 'k=v' });
  assert.deepEqual(parseResourceAttributes(''), {});
  assert.equal(parseResourceAttributes('a=1,b'), undefined);
  assert.equal(parseResourceAttributes('a=1,=b'), undefined);
  assert.equal(parseResourceAttributes('a=%zz'), undefined);
});
