import { controlGroups } from './process.ts';

/** Id of the container that a process runs in; undefined when it is in none, or that is hidden from us. */
export function containerId(pid: number): string | undefined {
  return containerIdOf(controlGroups(pid));
}

/**
 * Id of the container that a process runs in, from the text of its /proc/PID/cgroup; undefined when it names none
 * (no container, or a cgroup name space that hides it).
 *
 * The runtimes (containerd, CRI-O, Docker, Podman) all put 64 hexadecimal digits into the path; Amazon ECS uses 32 and a number.
 */
export function containerIdOf(cgroup: string): string | undefined {
  for (const line of cgroup.split('\n')) {
    // hierarchy:controllers:path; with containerd the path itself may hold colons.
    const path = line.split(':').slice(2).join(':');
    // The last one: containers within containers show the outer one first.
    const id =
      [...path.matchAll(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g)].at(-1)?.[0] ??
      /(?<=\/)[0-9a-f]{32}-\d+$/.exec(path)?.[0];
    if (id !== undefined) {
      return id;
    }
  }
  return undefined;
}
