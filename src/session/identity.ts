import type { Resource } from '@opentelemetry/resources';
import { log } from '../base/log.ts';
import type { Target } from '../model/target.ts';
import { targetResource } from '../otel/resource/resource.ts';

/** The processes observed now, by what tells them apart, and the service.instance.id that each goes by. */
const INSTANCES = new Map<string, unknown>();

/**
 * The resource of a target. Workers inherit their parent's environment, and with it a service.instance.id that is declared there:
 * only one process goes by it, until `releaseIdentity`.
 */
export function claimIdentity(target: Target): Resource {
  const isTaken = (id: string): boolean => {
    const taken = [...INSTANCES].some(([key, other]) => key !== target.key && other === id);
    if (taken) {
      log(
        'info',
        `Process ${target.pid} declares the service.instance.id ${id} of another observed process, and gets one of its own.`,
      );
    }
    return taken;
  };
  const resource = targetResource(target, { log, isTaken });
  INSTANCES.set(target.key, resource.attributes['service.instance.id']);
  return resource;
}

/** To be called when the target is observed no longer. */
export function releaseIdentity({ key }: Target): void {
  INSTANCES.delete(key);
}
