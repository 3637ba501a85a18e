import { openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { EXIT, UserError } from '../errors.ts';

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
  return `/proc/${pid}/exe`;
}

/** The executable's file, opened: it stays the same when the process executes another. */
export function openExecutable(pid: number): number {
  return readProc(pid, () => openSync(executablePath(pid), 'r'));
}

/** What the executable is called; ends with " (deleted)" when the file is gone. */
export function executableName(pid: number): string {
  return readProc(pid, () => readlinkSync(executablePath(pid)));
}

/**
 * Whether there is something to observe: false from the moment the process gives up its memory, which is before it becomes a
 * zombie.
 */
export function hasMemory(pid: number): boolean {
  try {
    readlinkSync(executablePath(pid));
    return true;
  } catch {
    return false;
  }
}

/** argv of a process. */
export function commandLine(pid: number): string[] {
  return splitNul(readProc(pid, () => readFileSync(`/proc/${pid}/cmdline`, 'utf8')));
}

/** The environment a process was started with; undefined where it may not be read. */
export function environment(pid: number): Record<string, string> | undefined {
  try {
    const entries = splitNul(readFileSync(`/proc/${pid}/environ`, 'utf8'));
    return Object.fromEntries(entries.map((entry) => splitAt(entry, entry.indexOf('='))));
  } catch {
    return undefined;
  }
}

/** Text of /proc/PID/cgroup, from which a container id may be read; empty where it may not be read. */
export function controlGroups(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8');
  } catch {
    return '';
  }
}

/** When a process started, in Unix nanoseconds (to a hundredth of a second, as the kernel says it). */
export function startTime(pid: number): bigint {
  const bootSeconds = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? 0);
  return (
    BigInt(Math.round((bootSeconds + Number(statFields(pid)[19]) / TICKS_PER_SECOND) * 1000)) * 1_000_000n
  );
}

/** USER_HZ: fixed at 100 in the kernel's interface on all of its platforms that matter here. */
const TICKS_PER_SECOND = 100;

/** Fields of /proc/PID/stat from the state on: the name before it may hold anything, also blanks and brackets. */
function statFields(pid: number): string[] {
  const text = readProc(pid, () => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** The file mappings of a process, in address order. */
export function mappings(pid: number): Mapping[] {
  const text = readProc(pid, () => readFileSync(`/proc/${pid}/maps`, 'utf8'));
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

/** Processes whose executable matches a glob; `*` and `?` do not match a slash, a pattern without one matches the name. */
export function findByExecutable(pattern: string): number[] {
  const expression = globExpression(pattern);
  return readdirSync('/proc')
    .map(Number)
    .filter(
      (pid) =>
        Number.isInteger(pid) && pid !== process.pid && matches(pid, pattern.includes('/'), expression),
    );
}

function matches(pid: number, wholePath: boolean, expression: RegExp): boolean {
  try {
    const path = readlinkSync(executablePath(pid)).replace(/ \(deleted\)$/, '');
    return expression.test(wholePath ? path : (path.split('/').at(-1) ?? ''));
  } catch {
    // Kernel threads, other users' processes, and processes that ended meanwhile.
    return false;
  }
}

function globExpression(pattern: string): RegExp {
  const text = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]');
  return new RegExp(`^${text}$`);
}

function readProc<T>(pid: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ESRCH')
      throw new UserError(`There is no process ${pid}.`, EXIT.cannotObserve);
    if (code === 'EACCES' || code === 'EPERM') {
      const how = 'run as the same user, as root, or with CAP_SYS_PTRACE';
      throw new UserError(`Process ${pid} may not be read: ${how}.`, EXIT.cannotObserve);
    }
    throw error;
  }
}

function splitNul(text: string): string[] {
  return text.split('\0').slice(0, -1);
}

function splitAt(text: string, at: number): [string, string] {
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
