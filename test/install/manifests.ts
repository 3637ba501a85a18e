/*
 * What kustomize and Helm make of the manifests, judged by kubeconform: npm run manifests. Builds the three through Go's module proxy,
 * which takes minutes the first time.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../../tools/package/product.ts';
import { run } from '../../tools/package/run.ts';
import { goCommand } from './go-commands.ts';
import { KUBERNETES_VERSIONS, schemaFolder } from './schemas.ts';

const MANIFESTS = join(ROOT, 'otel-config/kubernetes');

const say = (line: string): void => {
  process.stderr.write(`mapscope: ${line}\n`);
};

let failures = 0;

async function judge(title: string, yaml: string): Promise<void> {
  for (const version of KUBERNETES_VERSIONS) {
    const schemas = join(await schemaFolder(version), '{{ .ResourceKind }}{{ .KindSuffix }}.json');
    const args = ['-strict', '-summary', '-schema-location', schemas, '-'];
    const { status, stdout, stderr } = spawnSync(await goCommand('kubeconform'), args, {
      input: yaml,
      encoding: 'utf8',
    });
    failures += Number(status !== 0);
    say(`${title}, ${version}: ${(stdout + stderr).trim()}`);
  }
}

const kustomize = await goCommand('kustomize');
for (const overlay of readdirSync(join(MANIFESTS, 'overlays')).sort()) {
  await judge(overlay, await run(kustomize, ['build', join(MANIFESTS, 'overlays', overlay)]));
}
const helm = await goCommand('helm');
const chart = join(MANIFESTS, 'chart');
say((await run(helm, ['lint', '--strict', chart])).trim());
await judge('chart', await run(helm, ['template', 'mapscope', chart, '--namespace', 'mapscope']));
process.exitCode = failures === 0 ? 0 : 1;
