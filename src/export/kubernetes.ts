import {
  ATTR_K8S_CONTAINER_NAME,
  ATTR_K8S_DEPLOYMENT_NAME,
  ATTR_K8S_NAMESPACE_NAME,
  ATTR_K8S_NODE_NAME,
  ATTR_K8S_POD_NAME,
  ATTR_K8S_POD_UID,
} from '@opentelemetry/semantic-conventions';
import type { Environment } from './otlp-environment.ts';

/*
 * Variables that Kubernetes' downward API fills when a pod's specification says so. The names are customs: the
 * OpenTelemetry operator's first, then what people write by hand. A sidecar shares the target's pod, so its own
 * variables describe the target, too; a sidecar per node must be given the node's name only.
 */
const VARIABLES: Readonly<Record<string, readonly string[]>> = {
  [ATTR_K8S_POD_NAME]: ['OTEL_RESOURCE_ATTRIBUTES_POD_NAME', 'K8S_POD_NAME', 'POD_NAME'],
  [ATTR_K8S_POD_UID]: ['OTEL_RESOURCE_ATTRIBUTES_POD_UID', 'K8S_POD_UID', 'POD_UID'],
  [ATTR_K8S_NODE_NAME]: ['OTEL_RESOURCE_ATTRIBUTES_NODE_NAME', 'K8S_NODE_NAME', 'NODE_NAME'],
  [ATTR_K8S_NAMESPACE_NAME]: [
    'OTEL_RESOURCE_ATTRIBUTES_NAMESPACE_NAME',
    'K8S_NAMESPACE_NAME',
    'K8S_NAMESPACE',
    'POD_NAMESPACE',
  ],
  [ATTR_K8S_DEPLOYMENT_NAME]: ['OTEL_RESOURCE_ATTRIBUTES_DEPLOYMENT_NAME', 'K8S_DEPLOYMENT_NAME'],
  [ATTR_K8S_CONTAINER_NAME]: ['K8S_CONTAINER_NAME', 'CONTAINER_NAME'],
};

/** The k8s.* attributes that an environment tells. */
export function kubernetesAttributes(environment: Environment): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [attribute, names] of Object.entries(VARIABLES)) {
    const value = names.map((name) => environment[name]?.trim()).find((text) => text);
    if (value) {
      attributes[attribute] = value;
    }
  }
  return attributes;
}
