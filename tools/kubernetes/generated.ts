import { stringify } from 'yaml';
import { CHART, TEMPLATES, unquoted, VALUES } from './chart.ts';
import type { Fields } from './container.ts';
import {
  ACCOUNT,
  component,
  DAEMON_SET,
  DEPLOYMENT,
  debugProfile,
  JOB,
  kustomization,
  NAMESPACE,
  sidecarPatch,
} from './manifests.ts';
import { seccompProfile } from './seccomp.ts';

const MADE = '# Made by `npm run docs` from tools/kubernetes.\n';

const FILES: Readonly<Record<string, Fields>> = {
  'base/deployment.yaml': DEPLOYMENT,
  'base/kustomization.yaml': kustomization(['deployment.yaml']),
  'components/native-sidecar/patch.yaml': sidecarPatch('native'),
  'components/native-sidecar/kustomization.yaml': component('patch.yaml'),
  'components/sidecar/patch.yaml': sidecarPatch('plain'),
  'components/sidecar/kustomization.yaml': component('patch.yaml'),
  'overlays/native-sidecar/kustomization.yaml': kustomization(
    ['../../base'],
    ['../../components/native-sidecar'],
  ),
  'overlays/sidecar/kustomization.yaml': kustomization(['../../base'], ['../../components/sidecar']),
  'overlays/daemonset/namespace.yaml': NAMESPACE,
  'overlays/daemonset/serviceaccount.yaml': ACCOUNT,
  'overlays/daemonset/daemonset.yaml': DAEMON_SET,
  'overlays/daemonset/kustomization.yaml': kustomization([
    'namespace.yaml',
    'serviceaccount.yaml',
    'daemonset.yaml',
  ]),
  'overlays/job/job.yaml': JOB,
  'overlays/job/kustomization.yaml': kustomization(['job.yaml']),
  'chart/Chart.yaml': CHART,
  'chart/values.yaml': VALUES,
  ...templatesOfChart(),
};

function templatesOfChart(): Readonly<Record<string, Fields>> {
  return Object.fromEntries(Object.entries(TEMPLATES).map(([path, fields]) => [`chart/${path}`, fields]));
}

const yaml = (fields: Fields): string =>
  MADE + unquoted(stringify(fields, { lineWidth: 0, aliasDuplicateObjects: false }));

/** The manifests by path from the root, for `npm run docs`. */
export const MANIFESTS: Readonly<Record<string, () => string>> = Object.fromEntries([
  ...Object.entries(FILES).map(([path, fields]) => [`otel-config/kubernetes/${path}`, () => yaml(fields)]),
  ['otel-config/kubernetes/seccomp.json', seccompProfile],
  ['otel-config/kubernetes/debug-profile.json', () => `${JSON.stringify(debugProfile(), null, 2)}\n`],
]);
