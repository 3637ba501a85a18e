import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseResourceAttributes, targetResource } from '../../src/export/resource.ts';
import type { Target } from '../../src/model/target.ts';
import { TARGET } from '../model/fixtures.ts';

function attributes(
  target: Partial<Target> = {},
  environment: Record<string, string> = {},
): Record<string, unknown> {
  return targetResource({ ...TARGET, ...target }, { environment }).attributes;
}

test('the resource is the target', () => {
  const {
    'service.instance.id': instance,
    'telemetry.distro.version': version,
    ...rest
  } = attributes({
    buildId: 'abc/def',
    containerId: 'c0ffee',
  });
  assert.deepEqual(rest, {
    'service.name': 'shop',
    'process.pid': 4711,
    'process.executable.name': 'shop',
    'process.executable.path': '/opt/shop/bin/shop',
    'process.creation.time': '2026-09-21T14:13:20.000Z',
    'process.runtime.name': 'go',
    'process.runtime.version': 'go1.26.1',
    'process.executable.build_id.go': 'abc/def',
    'container.id': 'c0ffee',
    'telemetry.distro.name': 'mapscope',
  });
  assert.match(String(instance), /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.match(String(version), /^\d+\.\d+\.\d+/);
});

test('service.name: the sidecar says, else the target, else the executable', () => {
  const name = (theirs: Record<string, string>, own: Record<string, string>): unknown =>
    attributes({ environment: theirs }, own)['service.name'];
  const theirs = { OTEL_SERVICE_NAME: 'theirs', OTEL_RESOURCE_ATTRIBUTES: 'service.name=theirs-too' };
  assert.equal(
    name(theirs, { OTEL_SERVICE_NAME: 'own', OTEL_RESOURCE_ATTRIBUTES: 'service.name=no' }),
    'own',
  );
  assert.equal(name(theirs, { OTEL_RESOURCE_ATTRIBUTES: 'service.name=own' }), 'own');
  assert.equal(name(theirs, { OTEL_SERVICE_NAME: '' }), 'theirs');
  assert.equal(name({ OTEL_RESOURCE_ATTRIBUTES: 'service.name=attr' }, {}), 'attr');
  assert.equal(name({}, {}), 'shop');
});

test('arguments may hold secrets and are told on request only', () => {
  assert.equal(attributes()['process.command_args'], undefined);
  const asked = targetResource(TARGET, { environment: {}, commandArguments: true }).attributes;
  assert.deepEqual(asked['process.command_args'], ['shop', '--password=secret']);
});

test('no other variable of the target gets out', () => {
  const text = JSON.stringify(attributes({ environment: { DATABASE_PASSWORD: 'hunter2' } }));
  assert.ok(!text.includes('hunter2'));
});

test('an instance keeps its id, another process has another', () => {
  const id = (target: Partial<Target>): unknown => attributes(target)['service.instance.id'];
  assert.equal(id({}), id({ exitCode: 1 }));
  assert.notEqual(id({}), id({ pid: 4712 }));
  assert.notEqual(id({}), id({ startTimeUnixNano: TARGET.startTimeUnixNano + 1n }));
  assert.notEqual(id({}), id({ containerId: 'other' }));
});

test('Kubernetes: declared attributes over variables, the target over the sidecar', () => {
  const result = attributes(
    { environment: { POD_NAME: 'shop-1', CONTAINER_NAME: 'shop', POD_UID: ' ' } },
    {
      POD_NAME: 'sidecar',
      CONTAINER_NAME: 'mapscope',
      NODE_NAME: 'node-1',
      POD_NAMESPACE: 'prod',
      OTEL_RESOURCE_ATTRIBUTES: 'k8s.namespace.name=declared',
    },
  );
  assert.equal(result['k8s.pod.name'], 'shop-1');
  assert.equal(result['k8s.container.name'], 'shop');
  assert.equal(result['k8s.node.name'], 'node-1');
  assert.equal(result['k8s.namespace.name'], 'declared');
  assert.equal('k8s.pod.uid' in result, false);
  assert.equal('k8s.container.name' in attributes({}, { CONTAINER_NAME: 'mapscope' }), false);
});

test('OTEL_RESOURCE_ATTRIBUTES is decoded, and ignored as a whole when malformed', () => {
  assert.deepEqual(parseResourceAttributes('a=1, b = x%20y ,c=k=v,'), { a: '1', b: 'x y', c: 'k=v' });
  assert.deepEqual(parseResourceAttributes(''), {});
  assert.deepEqual(parseResourceAttributes('a=1,b'), {});
  assert.deepEqual(parseResourceAttributes('a=1,=b'), {});
  assert.deepEqual(parseResourceAttributes('a=%zz'), {});
});
