import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { addon } from '../kernel/addon.ts';
import { isHidden, isRefusal, notFound, notLookedAt } from './rights.ts';

/** One line of /proc/PID/maps that maps a file. */
export interface Mapping {
  readonly start: number;
  readonly end: number;
  readonly executable: boolean;
  readonly fileOffset: number;
  readonly inode: number;
  readonly path: string;
}

/** Path that opens the executable of a process, also in another mount namespace and after it was replaced on disk. */
export function executablePath(pid: number): string {
  return `${folderWithMemory(pid)}/exe`;
}

/**
 * Folder of /proc that tells of the memory of a process. The process's own does no more when its main thread has ended
 * (pthread_exit in main), though the others go on with the memory they share: then one of theirs.
 */
function folderWithMemory(pid: number): string {
  return leadsToMemory(`/proc/${pid}`) ? `/proc/${pid}` : (folderOfThread(pid) ?? `/proc/${pid}`);
}

function folderOfThread(pid: number): string | undefined {
  try {
    const folders = readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${thread}`);
    return folders.find(leadsToMemory);
  } catch {
    return undefined;
  }
}

function leadsToMemory(folder: string): boolean {
  try {
    readlinkSync(`${folder}/exe`);
    return true;
  } catch {
    return false;
  }
}

/** Whether the main thread has ended, while others go on. */
export function hasLostMainThread(pid: number): boolean {
  return !leadsToMemory(`/proc/${pid}`) && folderOfThread(pid) !== undefined;
}

/** A thread that has the memory of a process: the main one, unless that has ended. */
export function threadWithMemory(pid: number): number {
  return Number(basename(folderWithMemory(pid)));
}

/** The file that lists what is mapped; once open, it tells of the memory that the process has had then. */
export function mappingsPath(pid: number): string {
  return `${folderWithMemory(pid)}/maps`;
}

/**
 * The auxiliary vector, which each image of a process gets anew; empty when it has given up its memory. Its file is for the process's
 * user alone, also when root may trace that: then the addresses of the image's arguments and variables stand for it.
 */
export function auxiliaryVector(pid: number): Buffer {
  try {
    return readFileSync(`${folderWithMemory(pid)}/auxv`);
  } catch (error) {
    const { start, end } = variablesInMemory(pid);
    if (!isRefusal(error) || start === 0n) {
      throw error;
    }
    return Buffer.from(`${start} ${end}`);
  }
}

/**
 * The process that an id means: the kernel answers to the id of each thread almost as to the process's own.
 *
 * @throws UserError when there is none
 */
export function processOf(id: number): number {
  const status = readProc(id, () => readFileSync(`/proc/${id}/status`, 'utf8'));
  return Number(/^Tgid:\s*(\d+)$/m.exec(status)?.[1] ?? id);
}

/** What the executable is, or was, called. */
export function executableName(pid: number): string {
  return readProc(pid, () => fileName(executablePath(pid), pid));
}

/** What the kernel appends to the name of a file that is gone. */
const GONE = ' (deleted)';

/**
 * The path of the file behind one of /proc's links, without the mark of one that is gone: a file may really be called so.
 *
 * @param pid the process whose root folder the path begins in; default: this one
 */
export function fileName(link: string, pid: number | 'self' = 'self'): string {
  const name = readlinkSync(link);
  return name.endsWith(GONE) && !isSameFile(link, `/proc/${pid}/root${name}`)
    ? name.slice(0, -GONE.length)
    : name;
}

function isSameFile(one: string, other: string): boolean {
  try {
    const [a, b] = [statSync(one, { bigint: true }), statSync(other, { bigint: true })];
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}

/** Whether a mapping is of the file that is, or was, called so; /proc/PID/maps writes line feeds in names as \012. */
export function isMappingOf({ path }: Mapping, name: string): boolean {
  const written = name.replaceAll('\n', '\\012');
  return path === written || path === written + GONE;
}

/**
 * Whether there is something to observe: false from the moment the process gives up its memory, which is before it becomes a
 * zombie.
 */
export function hasMemory(pid: number): boolean {
  try {
    readlinkSync(executablePath(pid));
    return true;
  } catch (error) {
    // A process that must not be looked at any more has not ended.
    return isRefusal(error) || isHidden(pid);
  }
}

/** The environment a process was started with; undefined where it may not be read. */
export function environment(pid: number): Record<string, string> | undefined {
  try {
    const entries = splitNul(environmentText(pid));
    return Object.fromEntries(entries.map((entry) => splitAt(entry, entry.indexOf('='))));
  } catch {
    return undefined;
  }
}

/** The most that the kernel takes at an execve(): a quarter of the largest usual stack. */
const MOST_VARIABLES_BYTES = 6n * 1024n * 1024n;

/** From the file, which is for the process's user alone, or from the memory that it shows, which is for whoever may trace it. */
function environmentText(pid: number): string {
  try {
    return readFileSync(`${folderWithMemory(pid)}/environ`, 'utf8');
  } catch (error) {
    const { start, end } = variablesInMemory(pid);
    if (!isRefusal(error) || end <= start || end - start > MOST_VARIABLES_BYTES) {
      throw error;
    }
    return addon.readMemory(pid, start, Number(end - start)).toString('utf8');
  }
}

/** Where the variables that a process was started with are in its memory; 0 where the kernel does not tell. */
function variablesInMemory(pid: number): { readonly start: bigint; readonly end: bigint } {
  const fields = statFields(threadWithMemory(pid));
  return { start: BigInt(fields[47] ?? 0), end: BigInt(fields[48] ?? 0) };
}

/** Text of /proc/PID/cgroup, from which a container id may be read; empty where it may not be read. */
export function controlGroups(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  } catch {
    return '';
  }
}

/** When a process started, in clock ticks since the machine did: a time of day would move whenever the clock is set. */
export function startTicks(pid: number): number {
  return Number(statFields(pid)[19]);
}

/** The group that a terminal sends signals to. */
export function processGroup(pid: number): number {
  return Number(statFields(pid)[2]);
}

/** Whether it leads its session: when the terminal hangs up, the kernel tells that process alone. */
export function leadsSession(pid: number): boolean {
  return Number(statFields(pid)[3]) === pid;
}

/** Whether it has a controlling terminal, which sends SIGHUP when it hangs up. */
export function hasTerminal(pid: number): boolean {
  return Number(statFields(pid)[4]) !== 0;
}

/** The process that has started a process; undefined when it has ended, or is hidden. */
export function parentOf(pid: number): number | undefined {
  try {
    return Number(statFields(pid)[1]);
  } catch {
    return undefined;
  }
}

/** Fields of /proc/PID/stat from the state on: the name before it may hold anything, also blanks and brackets. */
function statFields(pid: number): string[] {
  const text = readProc(pid, () => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** Paths that may open a mapped file. The first does also after it was replaced on disk, but not for everybody. */
export function mappedFilePaths(pid: number, { start, end, path }: Mapping): string[] {
  const folder = folderWithMemory(pid);
  return [`${folder}/map_files/${start.toString(16)}-${end.toString(16)}`, `${folder}/root${path}`];
}

/** Whether a mapping is of the file that a process executes. */
export function isExecutableOf(pid: number): (mapping: Mapping) => boolean {
  const own = statSync(executablePath(pid), { bigint: true, throwIfNoEntry: false });
  return ({ inode }) => BigInt(inode) === own?.ino;
}

/** The file mappings of a process, in address order. */
export function mappings(pid: number): Mapping[] {
  const text = readProc(pid, () => readFileSync(mappingsPath(pid), 'utf8'));
  const line = /^([0-9a-f]+)-([0-9a-f]+) (\S+) ([0-9a-f]+) \S+ (\d+) +(\/.*)$/gm;
  return [...text.matchAll(line)].map(
    ([, start = '', end = '', mode = '', offset = '', inode = '', path = '']) => ({
      start: Number.parseInt(start, 16),
      end: Number.parseInt(end, 16),
      executable: mode.includes('x'),
      fileOffset: Number.parseInt(offset, 16),
      inode: Number(inode),
      path,
    }),
  );
}

/**
 * Reads something below /proc/PID.
 *
 * @throws UserError when there is no such process, or it may not be read
 */
export function readProc<T>(pid: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ESRCH') {
      throw notFound(pid);
    }
    throw isRefusal(error) ? notLookedAt(pid) : error;
  }
}

function splitNul(text: string): string[] {
  return text.split('\0').slice(0, -1);
}

function splitAt(text: string, at: number): [string, string] {
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
