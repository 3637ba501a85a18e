import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { basename } from 'node:path';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  ATTR_CONTAINER_ID,
  ATTR_K8S_CONTAINER_NAME,
  ATTR_SERVICE_INSTANCE_ID,
  ATTR_SERVICE_NAME,
  ATTR_TELEMETRY_DISTRO_NAME,
  ATTR_TELEMETRY_DISTRO_VERSION,
} from '@opentelemetry/semantic-conventions';
import {
  ATTR_PROCESS_COMMAND_ARGS,
  ATTR_PROCESS_CREATION_TIME,
  ATTR_PROCESS_EXECUTABLE_BUILD_ID_GO,
  ATTR_PROCESS_EXECUTABLE_NAME,
  ATTR_PROCESS_EXECUTABLE_PATH,
  ATTR_PROCESS_PID,
  ATTR_PROCESS_RUNTIME_NAME,
  ATTR_PROCESS_RUNTIME_VERSION,
} from '@opentelemetry/semantic-conventions/incubating';
import type { Target } from '../model/target.ts';
import { kubernetesAttributes } from './kubernetes.ts';
import type { Environment } from './otlp-environment.ts';
import { VERSION } from './version.ts';

type ResourceAttributes = Record<string, string | number | string[]>;

export interface ResourceOptions {
  /** The sidecar's own environment (process.env). */
  environment?: Environment;
  /** Tell the target's arguments; off because they may hold secrets. */
  commandArguments?: boolean;
}

/** Name space for service.instance.id that the semantic conventions give. */
const INSTANCE_NAMESPACE = '4d63009a-8d0f-11ee-aad7-4c796ed8e320';

/**
 * Describes the target, not the sidecar, so that its maps' metrics stand beside the service's own telemetry.
 *
 * What is said in the sidecar's OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME wins over the same variables of the
 * target, and these over what is found out about the process.
 */
export function targetResource(target: Target, options: ResourceOptions = {}): Resource {
  const own = options.environment ?? process.env;
  const theirs = target.environment ?? {};
  return resourceFromAttributes({
    ...processAttributes(target, options),
    ...podAttributes(own),
    ...kubernetesAttributes(theirs),
    [ATTR_SERVICE_NAME]: basename(target.exe),
    [ATTR_SERVICE_INSTANCE_ID]: instanceId(target),
    ...declaredAttributes(theirs),
    ...declaredAttributes(own),
    [ATTR_TELEMETRY_DISTRO_NAME]: 'mapscope',
    [ATTR_TELEMETRY_DISTRO_VERSION]: VERSION,
  });
}

/** Attributes that an environment declares: OTEL_RESOURCE_ATTRIBUTES, and OTEL_SERVICE_NAME over its service.name. */
export function declaredAttributes(environment: Environment): Record<string, string> {
  const name = environment.OTEL_SERVICE_NAME?.trim();
  return {
    ...parseResourceAttributes(environment.OTEL_RESOURCE_ATTRIBUTES ?? ''),
    ...(name && { [ATTR_SERVICE_NAME]: name }),
  };
}

/**
 * Parses `key=value,key=value` with percent-encoded values. When any part cannot be understood all of it is ignored, as
 * the specification demands.
 */
export function parseResourceAttributes(text: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const part of text.split(',')) {
    if (part.trim() === '') {
      continue;
    }
    const [key, ...rest] = part.split('=');
    const name = key?.trim() ?? '';
    try {
      if (name === '' || rest.length === 0) {
        return {};
      }
      attributes[decodeURIComponent(name)] = decodeURIComponent(rest.join('=').trim());
    } catch {
      return {};
    }
  }
  return attributes;
}

function processAttributes(
  target: Target,
  { commandArguments = false }: ResourceOptions,
): ResourceAttributes {
  const started = new Date(Number(target.startTimeUnixNano / 1_000_000n));
  return {
    [ATTR_PROCESS_PID]: target.pid,
    [ATTR_PROCESS_EXECUTABLE_NAME]: basename(target.exe),
    [ATTR_PROCESS_EXECUTABLE_PATH]: target.exe,
    [ATTR_PROCESS_CREATION_TIME]: started.toISOString(),
    [ATTR_PROCESS_RUNTIME_NAME]: 'go',
    // As OpenTelemetry's Go SDK has it, with the letters "go".
    [ATTR_PROCESS_RUNTIME_VERSION]: target.goVersion,
    ...(target.buildId && { [ATTR_PROCESS_EXECUTABLE_BUILD_ID_GO]: target.buildId }),
    ...(target.containerId && { [ATTR_CONTAINER_ID]: target.containerId }),
    ...(commandArguments && { [ATTR_PROCESS_COMMAND_ARGS]: target.commandLine }),
  };
}

/** A sidecar shares the target's pod, but not its container. */
function podAttributes(environment: Environment): Record<string, string> {
  const { [ATTR_K8S_CONTAINER_NAME]: _container, ...pod } = kubernetesAttributes(environment);
  return pod;
}

/** The same for the same process at each start of the sidecar: a UUID (version 5) of where and when it was started. */
function instanceId({ containerId, pid, startTimeUnixNano }: Target): string {
  const namespace = Buffer.from(INSTANCE_NAMESPACE.replaceAll('-', ''), 'hex');
  const hash = createHash('sha1')
    .update(namespace)
    .update([containerId ?? hostname(), pid, startTimeUnixNano].join('/'))
    .digest()
    .subarray(0, 16);
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = hash.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
