import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  ATTR_CONTAINER_ID,
  ATTR_SERVICE_INSTANCE_ID,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_VERSION,
  ATTR_TELEMETRY_DISTRO_NAME,
  ATTR_TELEMETRY_DISTRO_VERSION,
} from '@opentelemetry/semantic-conventions';
import type { Log } from '../../base/log.ts';
import { VERSION } from '../../base/version.ts';
import type { Target } from '../../model/target.ts';
import {
  ATTR_HOST_NAME,
  ATTR_PROCESS_EXECUTABLE_BUILD_ID_GO,
  ATTR_PROCESS_EXECUTABLE_NAME,
  ATTR_PROCESS_EXECUTABLE_PATH,
  ATTR_PROCESS_PID,
  ATTR_PROCESS_RUNTIME_NAME,
  ATTR_PROCESS_RUNTIME_VERSION,
  SCHEMA_URL,
} from '../contract/semconv.ts';
import { type Environment, isKubernetes, kubernetesAttributes, sharedAttributes } from './kubernetes.ts';

type ResourceAttributes = Record<string, string | number | string[]>;

export interface ResourceOptions {
  /** The sidecar's own environment (process.env). */
  environment?: Environment;
  /** What cannot be understood is told to it. */
  log?: Log;
  /** Whether another observed process already goes by this service.instance.id (no). */
  isTaken?: (instanceId: string) => boolean;
}

/** Name space for service.instance.id that the semantic conventions give. */
const INSTANCE_NAMESPACE = '4d63009a-8d0f-11ee-aad7-4c796ed8e320';

/** Describes one process, container or host: said of the sidecar it is false of the target. */
const OF_ONE_PROCESS =
  /^(?:service\.instance\.|service\.version$|k8s\.container\.|container\.|process\.|telemetry\.|host\.name$)/;

/**
 * Describes the target, not the sidecar, so that its maps' metrics stand beside the service's own telemetry.
 *
 * What the target's OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME say wins over the same variables of the sidecar, and these over
 * what is found out about the process. Of the sidecar's only that counts which can be true of the target.
 */
export function targetResource(target: Target, options: ResourceOptions = {}): Resource {
  const { environment: own = process.env, log = () => {}, isTaken = () => false } = options;
  const theirs = declaredAttributes(target.environment ?? {}, 'of the target', log);
  const { [ATTR_SERVICE_INSTANCE_ID]: declaredId, ...others } = theirs;
  const attributes = {
    ...processAttributes(target),
    ...kubernetesAttributes(target, own),
    ...sidecarAttributes(target, own, log),
    ...others,
    [ATTR_SERVICE_INSTANCE_ID]:
      declaredId === undefined || isTaken(declaredId) ? instanceId(target.key) : declaredId,
    [ATTR_TELEMETRY_DISTRO_NAME]: 'mapscope',
    [ATTR_TELEMETRY_DISTRO_VERSION]: VERSION,
  };
  return resourceFromAttributes(attributes, { schemaUrl: SCHEMA_URL });
}

/** Of what the sidecar's environment declares what can be true of the target, too. */
function sidecarAttributes(target: Target, own: Environment, log: Log): Record<string, string> {
  const declared = Object.entries(declaredAttributes(own, 'of mapscope', log)).filter(
    ([name, value]) => !OF_ONE_PROCESS.test(name) && !(name === ATTR_SERVICE_NAME && value === 'mapscope'),
  );
  const attributes = Object.fromEntries(declared);
  return isKubernetes(own) ? sharedAttributes(attributes, target.pod?.isOurs === true) : attributes;
}

/** Attributes that an environment declares: OTEL_RESOURCE_ATTRIBUTES, and OTEL_SERVICE_NAME over its service.name. */
function declaredAttributes(environment: Environment, whose: string, log: Log): Record<string, string> {
  const name = environment.OTEL_SERVICE_NAME?.trim();
  const declared = parseResourceAttributes(environment.OTEL_RESOURCE_ATTRIBUTES ?? '');
  if (declared === undefined) {
    log(
      'warn',
      `OTEL_RESOURCE_ATTRIBUTES ${whose} is ignored as a whole: it must be key=value pairs with commas between them, values percent-encoded.`,
    );
  }
  return {
    ...declared,
    ...(name && { [ATTR_SERVICE_NAME]: name }),
  };
}

/**
 * Parses `key=value,key=value` with percent-encoded values. Undefined when any part cannot be understood: the
 * specification has all of it ignored then. OpenTelemetry's detector of resources does so, too, but reads process.env only; its
 * parseKeyPairsIntoRecord is for baggage: it drops parts one by one, and what follows a semicolon.
 */
export function parseResourceAttributes(text: string): Record<string, string> | undefined {
  const attributes: Record<string, string> = {};
  for (const part of text.split(',')) {
    if (part.trim() === '') {
      continue;
    }
    const [key, ...rest] = part.split('=');
    const name = key?.trim() ?? '';
    try {
      if (name === '' || rest.length === 0) {
        return undefined;
      }
      attributes[decodeURIComponent(name)] = decodeURIComponent(rest.join('=').trim());
    } catch {
      return undefined;
    }
  }
  return attributes;
}

/** Without the arguments, which may hold secrets. */
function processAttributes(target: Target): ResourceAttributes {
  return {
    [ATTR_SERVICE_NAME]: basename(target.image ?? target.exe),
    ...(target.moduleVersion && { [ATTR_SERVICE_VERSION]: target.moduleVersion }),
    ...(target.hostName && { [ATTR_HOST_NAME]: target.hostName }),
    [ATTR_PROCESS_PID]: target.ownPid,
    [ATTR_PROCESS_EXECUTABLE_NAME]: basename(target.exe),
    [ATTR_PROCESS_EXECUTABLE_PATH]: target.exe,
    [ATTR_PROCESS_RUNTIME_NAME]: 'go',
    // As OpenTelemetry's Go SDK has it, with the letters "go".
    [ATTR_PROCESS_RUNTIME_VERSION]: target.goVersion,
    ...(target.buildId && { [ATTR_PROCESS_EXECUTABLE_BUILD_ID_GO]: target.buildId }),
    ...(target.containerId && { [ATTR_CONTAINER_ID]: target.containerId }),
  };
}

/** The same for the same process at each start of the sidecar: a UUID (version 5) of what tells it from all others. */
function instanceId(key: string): string {
  const namespace = Buffer.from(INSTANCE_NAMESPACE.replaceAll('-', ''), 'hex');
  const hash = createHash('sha1').update(namespace).update(key).digest().subarray(0, 16);
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = hash.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
