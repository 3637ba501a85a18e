import type { Pod } from '../model/target.ts';
import { fileOf } from './identity.ts';
import { controlGroups } from './process.ts';

/** The pod that a process runs in, as far as its control group and its files tell; undefined when they show none. */
export function podOf(pid: number): Pod | undefined {
  const found = podIn(controlGroups(pid), controlGroups(process.pid));
  return found && { ...found, ...namespaceOf(pid) };
}

/**
 * The same from the texts of the /proc/PID/cgroup of a process and of the sidecar. In a cgroup namespace of its own, which is
 * usual, the sidecar is at the root and sees others relative to that: containers of its own pod as its siblings.
 */
export function podIn(theirs: string, ours: string): Pod | undefined {
  const uid = podUid(theirs);
  if (uid !== undefined) {
    return { uid, isOurs: uid === podUid(ours) };
  }
  return isSibling(theirs) ? { isOurs: true } : undefined;
}

/** systemd's names of control groups have underscores, for a dash means a level. Static pods have a hash for a uid. */
function podUid(cgroup: string): string | undefined {
  const uid =
    /kubepods[^\n]*[/-]pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?=[./\n:]|$)/.exec(
      cgroup,
    );
  return uid?.[1]?.replaceAll('_', '-');
}

/** One level up or two (CRI-O), and at once a container: only pods have such children. */
function isSibling(cgroup: string): boolean {
  return /^0::(?:\/\.\.){1,2}\/(?:[a-z]+(?:-[a-z]+)*-)?[0-9a-f]{64}(?:\.scope)?(?:\/container)?$/m.test(
    cgroup,
  );
}

/**
 * Its service account's. A path below another process's root may lead anywhere, and then to any text, so that only what can be
 * a namespace's name is taken.
 */
function namespaceOf(pid: number): { namespace?: string } {
  const folder = 'secrets/kubernetes.io/serviceaccount/namespace';
  const text = fileOf(pid, `run/${folder}`) ?? fileOf(pid, `var/run/${folder}`);
  const [namespace] = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.exec(text?.trim() ?? '') ?? [];
  return namespace === undefined ? {} : { namespace };
}
