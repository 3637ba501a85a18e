/* mapscope's container, the one source of every manifest. */
import { CAPABILITIES } from '../../src/base/capabilities.ts';
import { MANIFEST } from '../package/product.ts';

/** What YAML and JSON can hold. */
export type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };
export type Fields = { readonly [key: string]: Value };

/** To be replaced by where you have pushed the image: `images` in a kustomization does so everywhere. */
const IMAGE = `mapscope:${MANIFEST.version}`;

/** Where the Collector listens. */
const ENDPOINT = 'http://otel-collector.observability:4317';

/** The label of the pods that the patches of kustomize add mapscope to. */
export const OBSERVED = { 'mapscope.dev/observe': 'true' } as const;

/**
 * Root, without anything that makes root mighty: Kubernetes gives added capabilities to root's processes only (a process of
 * another user would have to get them from its file, which `allowPrivilegeEscalation: false` forbids).
 */
const SECURITY_CONTEXT: Fields = {
  runAsUser: 0,
  runAsNonRoot: false,
  allowPrivilegeEscalation: false,
  privileged: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'], add: CAPABILITIES.map(({ name }) => name) },
  seccompProfile: { type: 'RuntimeDefault' },
};

/** What mapscope takes (docs/performance.md), and room for planning a large executable, which a process of its own does. */
const RESOURCES: Fields = {
  requests: { cpu: '20m', memory: '128Mi' },
  limits: { memory: '512Mi' },
};

/** Which processes of the pod, or of the node, are observed. */
const CHOICE = ['sidecar', '--exe', 'shop'];

/** What the pod's specification knows and the kernel does not. */
function fromPod(name: string, fieldPath: string): Fields {
  return { name, valueFrom: { fieldRef: { fieldPath } } };
}

/** Attributes of the pod belong to targets of the same pod only; a DaemonSet knows its node's. */
function environment(isInPod: boolean): Fields[] {
  const ofPod = [
    fromPod('K8S_POD_NAME', 'metadata.name'),
    fromPod('K8S_POD_UID', 'metadata.uid'),
    fromPod('K8S_NAMESPACE_NAME', 'metadata.namespace'),
  ];
  return [
    { name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: ENDPOINT },
    ...(isInPod ? ofPod : []),
    fromPod('K8S_NODE_NAME', 'spec.nodeName'),
  ];
}

/** The container, beside the service or, in a DaemonSet, for a whole node. */
export function container({ isInPod = true }: { readonly isInPod?: boolean } = {}): Fields {
  return {
    name: 'mapscope',
    image: IMAGE,
    args: CHOICE,
    env: environment(isInPod),
    securityContext: SECURITY_CONTEXT,
    resources: RESOURCES,
  };
}
