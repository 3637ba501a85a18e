import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { readProc, startTicks } from './process.ts';

/**
 * What tells a process from all others, on this machine and any other: the boot, the pid namespace, the pid in it and the
 * moment of the start. None of it moves when the clock is set, and each mapscope sees the same, wherever it runs.
 */
export function processKey(pid: number): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return [boot, namespace(pid, 'pid') ?? '', ownPid(pid), startTicks(pid)].join('/');
}

/** The pid that a process has for itself: in a container mostly a small number. */
export function ownPid(pid: number): number {
  const status = readProc(pid, () => readFileSync(`/proc/${pid}/status`, 'utf8'));
  const inNamespaces = /^NSpid:\s+(.+)$/m.exec(status)?.[1]?.split(/\s+/);
  return Number(inNamespaces?.at(-1) ?? pid);
}

/** The host name that a process sees; undefined where that cannot be known. */
export function hostNameOf(pid: number): string | undefined {
  if (namespace(pid, 'uts') === namespace('self', 'uts')) {
    return hostname();
  }
  // Nobody else may ask for it. Container runtimes mount a file that holds it; another may be left from somewhere else.
  return mountsFile(pid, '/etc/hostname') ? hostNameIn(fileOf(pid, 'etc/hostname')) : undefined;
}

function mountsFile(pid: number, path: string): boolean {
  try {
    const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').split('\n');
    return mounts.some((line) => line.split(' ')[4] === path);
  } catch {
    return false;
  }
}

/** The host name in the text of /etc/hostname; what is none may be the text of any other file. */
export function hostNameIn(text: string | undefined): string | undefined {
  return /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,62}[A-Za-z0-9])?$/.exec(text?.trim() ?? '')?.[0];
}

/** The text of a file as a process sees it; `path` begins below its root. */
export function fileOf(pid: number, path: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/root/${path}`, 'utf8');
  } catch {
    return undefined;
  }
}

function namespace(pid: number | 'self', kind: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`);
  } catch {
    return undefined;
  }
}
