/* Kubernetes objects: each way to run mapscope in a cluster. */
import { container, type Fields, OBSERVED } from './container.ts';

/** The level that Pod Security must allow: added capabilities and the host's process ids are above `baseline`. */
const PRIVILEGED = { 'pod-security.kubernetes.io/enforce': 'privileged' };

const MAPSCOPE = { 'app.kubernetes.io/name': 'mapscope' };
const SHOP = { 'app.kubernetes.io/name': 'shop' };

/** A service to try it with. */
const SERVICE: Fields = {
  name: 'shop',
  image: 'shop:1.0.0',
  ports: [{ name: 'http', containerPort: 8080 }],
  securityContext: {
    runAsNonRoot: true,
    runAsUser: 65532,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  },
};

export const NAMESPACE: Fields = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'mapscope', labels: { ...MAPSCOPE, ...PRIVILEGED } },
};

/** mapscope asks the API server nothing: its account may do nothing, and no token is mounted. */
export const ACCOUNT: Fields = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: 'mapscope', namespace: 'mapscope', labels: MAPSCOPE },
  automountServiceAccountToken: false,
};

export const DEPLOYMENT: Fields = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'shop', labels: { ...SHOP, ...OBSERVED } },
  spec: {
    selector: { matchLabels: SHOP },
    template: {
      metadata: { labels: SHOP },
      spec: { automountServiceAccountToken: false, containers: [SERVICE] },
    },
  },
};

/** What a kustomization adds to Deployments: as an init container that is restarted, or as one more container. */
export function sidecarPatch(kind: 'native' | 'plain'): Fields {
  const added =
    kind === 'native'
      ? { initContainers: [{ ...container(), restartPolicy: 'Always' }] }
      : { containers: [container()] };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'any' },
    spec: { template: { spec: { shareProcessNamespace: true, ...added } } },
  };
}

/** One mapscope per node, for the processes of all its pods. */
export const DAEMON_SET: Fields = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'mapscope', namespace: 'mapscope', labels: MAPSCOPE },
  spec: {
    selector: { matchLabels: MAPSCOPE },
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%' } },
    template: {
      metadata: { labels: MAPSCOPE },
      spec: {
        serviceAccountName: 'mapscope',
        automountServiceAccountToken: false,
        hostPID: true,
        nodeSelector: { 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' },
        containers: [container({ isInPod: false })],
      },
    },
  },
};

/** A Job whose end the sidecar does not hold up: Kubernetes ends a restarted init container after the others. */
export const JOB: Fields = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'shop-import', labels: SHOP },
  spec: {
    backoffLimit: 1,
    template: {
      metadata: { labels: SHOP },
      spec: {
        shareProcessNamespace: true,
        automountServiceAccountToken: false,
        restartPolicy: 'Never',
        initContainers: [{ ...container(), restartPolicy: 'Always' }],
        containers: [{ ...SERVICE, name: 'import', args: ['import'] }],
      },
    },
  },
};

/** What `kubectl debug --custom` sets of the container that it adds: nothing but rights and variables. */
export function debugProfile(): Fields {
  const { env = [], securityContext = {} } = container();
  return { env, securityContext };
}

const KUSTOMIZE = 'kustomize.config.k8s.io';

/** A kustomization of some resources, and of components that change them. */
export function kustomization(resources: readonly string[], components: readonly string[] = []): Fields {
  return {
    apiVersion: `${KUSTOMIZE}/v1beta1`,
    kind: 'Kustomization',
    resources,
    ...(components.length > 0 && { components }),
  };
}

/** Adds mapscope to every Deployment with the label. */
export function component(patch: string): Fields {
  const labelSelector = Object.entries(OBSERVED)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
  return {
    apiVersion: `${KUSTOMIZE}/v1alpha1`,
    kind: 'Component',
    patches: [{ path: patch, target: { kind: 'Deployment', labelSelector } }],
  };
}
