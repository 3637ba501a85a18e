import {
  ATTR_K8S_CONTAINER_NAME,
  ATTR_K8S_DEPLOYMENT_NAME,
  ATTR_K8S_NAMESPACE_NAME,
  ATTR_K8S_NODE_NAME,
  ATTR_K8S_POD_NAME,
  ATTR_K8S_POD_UID,
} from '@opentelemetry/semantic-conventions';
import type { Target } from '../../model/target.ts';

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/*
 * Variables that Kubernetes' downward API fills when a pod's specification says so. The names are customs: the
 * OpenTelemetry operator's first, then what people write by hand.
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

/** Names that others use for something else, above all build servers for their agents, also within Kubernetes. */
const GENERIC = /^(?:POD|NODE|CONTAINER)_/;
const BUILD_SERVERS = ['CI', 'JENKINS_URL', 'TF_BUILD', 'TEAMCITY_VERSION'];

/** The k8s.* attributes of a target, from what is seen of its pod and from variables, its own over the sidecar's. */
export function kubernetesAttributes({ pod, environment = {} }: Target, own: Environment): Attributes {
  // Beside a container of Docker's there are others of Docker's, too.
  const inPod =
    pod?.uid !== undefined || isKubernetes(environment) || (pod?.isOurs === true && isKubernetes(own));
  return {
    ...(isKubernetes(own) && sharedAttributes(variableAttributes(own), pod?.isOurs === true)),
    ...(pod?.uid && { [ATTR_K8S_POD_UID]: pod.uid }),
    ...(pod?.namespace && { [ATTR_K8S_NAMESPACE_NAME]: pod.namespace }),
    ...(inPod && variableAttributes(environment)),
  };
}

/** Kubernetes gives each container the address of its API server. */
export function isKubernetes(environment: Environment): boolean {
  return Boolean(environment.KUBERNETES_SERVICE_HOST);
}

/** Of k8s.* attributes that are true of the sidecar those that are true of the target: the pod's only if it is the same. */
export function sharedAttributes(attributes: Readonly<Attributes>, sharesPod: boolean): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).filter(
      ([name]) =>
        !name.startsWith('k8s.') ||
        /^k8s\.(?:node|cluster)\./.test(name) ||
        (sharesPod && !name.startsWith('k8s.container.')),
    ),
  );
}

type Attributes = Record<string, string>;

function variableAttributes(environment: Environment): Attributes {
  const isBuild = BUILD_SERVERS.some((name) => environment[name]);
  const attributes: Attributes = {};
  for (const [attribute, names] of Object.entries(VARIABLES)) {
    const value = names
      .filter((name) => !(isBuild && GENERIC.test(name)))
      .map((name) => environment[name]?.trim())
      .find((text) => text);
    if (value) {
      attributes[attribute] = value;
    }
  }
  return attributes;
}
