// Kubernetes takes the manifests: every field of every object is one that its releases know.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../../tools/package/product.ts';
import { goCommand } from './go-commands.ts';
import { KUBERNETES_VERSIONS, schemaFolder } from './schemas.ts';

const MANIFESTS = join(ROOT, 'otel-config/kubernetes');
const OBJECTS = globSync('{base,overlays}/**/*.yaml', { cwd: MANIFESTS })
  .filter((path) => !path.endsWith('kustomization.yaml'))
  .sort();

/** kubeconform's verdict on some YAML. */
async function judge(yaml: string, version: string) {
  const schemas = join(await schemaFolder(version), '{{ .ResourceKind }}{{ .KindSuffix }}.json');
  const args = ['-strict', '-summary', '-output', 'json', '-schema-location', schemas, '-'];
  const { stdout, status } = spawnSync(await goCommand('kubeconform'), args, {
    input: yaml,
    encoding: 'utf8',
  });
  return { status, report: JSON.parse(stdout) };
}

// `npm run manifests` asks older releases, too.
for (const version of KUBERNETES_VERSIONS.slice(-1)) {
  test(`Kubernetes ${version} knows every field of every object`, async () => {
    assert.deepEqual(OBJECTS.length, 5, OBJECTS.join());
    const all = OBJECTS.map((path) => readFileSync(join(MANIFESTS, path), 'utf8')).join('---\n');
    const { status, report } = await judge(all, version);
    assert.deepEqual(report.summary, { valid: 5, invalid: 0, errors: 0, skipped: 0 }, JSON.stringify(report));
    assert.equal(status, 0);
  });

  test(`Kubernetes ${version} refuses a field that is not there`, async () => {
    const job = readFileSync(join(MANIFESTS, 'overlays/job/job.yaml'), 'utf8');
    const { status, report } = await judge(job.replace('runAsUser:', 'runAsUsr:'), version);
    assert.deepEqual([status, report.summary.invalid], [1, 1]);
  });
}

test('the profile for kubectl debug is JSON', () => {
  const profile = JSON.parse(readFileSync(join(MANIFESTS, 'debug-profile.json'), 'utf8'));
  assert.deepEqual(Object.keys(profile), ['env', 'securityContext']);
});
