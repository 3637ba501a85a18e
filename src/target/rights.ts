/* Why the kernel does not let mapscope look at a process. The kernel only says no; what it goes by can be looked up. */
import { readFileSync, statSync } from 'node:fs';
import { hasCapability, SYS_PTRACE } from '../base/capabilities.ts';
import { EXIT, UserError } from '../base/errors.ts';

/** Error codes by which the kernel refuses what would need more rights. */
export function isRefusal(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'EACCES' || code === 'EPERM';
}

/** What /proc/PID/status says of a process that matters for rights. */
interface Credentials {
  /** Real, effective, saved and file system ids. */
  readonly users: readonly number[];
  readonly groups: readonly number[];
  readonly effective: bigint;
  readonly permitted: bigint;
}

/** The rights of a process, or of this one; undefined where they may not be read. */
function credentials(process: number | 'self'): Credentials | undefined {
  try {
    const text = readFileSync(`/proc/${process}/status`, 'utf8');
    const numbers = (name: string) => field(text, name).split(/\s+/).map(Number);
    const bits = (name: string) => BigInt(`0x${field(text, name)}`);
    return {
      users: numbers('Uid'),
      groups: numbers('Gid'),
      effective: bits('CapEff'),
      permitted: bits('CapPrm'),
    };
  } catch {
    return undefined;
  }
}

function field(status: string, name: string): string {
  return new RegExp(`^${name}:\\s+(.+)$`, 'm').exec(status)?.[1] ?? '';
}

/** Whether this process may look at others whoever's they are, as far as capabilities go. */
export function mayTrace(): boolean {
  return hasCapability(credentials('self')?.effective ?? 0n, SYS_PTRACE);
}

/** The setting kernel.yama.ptrace_scope; 0 also where the kernel has no Yama. */
function ptraceScope(): number {
  try {
    return Number(readFileSync('/proc/sys/kernel/yama/ptrace_scope', 'utf8'));
  } catch {
    return 0;
  }
}

/**
 * Why Yama keeps this process from tracing others, or from tracing what it has started itself, and what would help: the end of a
 * sentence. Undefined when Yama does not. (Documentation/admin-guide/LSM/Yama.rst)
 */
export function yamaForbids({ ofStarted }: { readonly ofStarted: boolean }): string | undefined {
  const scope = ptraceScope();
  const setting = `Yama's ptrace_scope is ${scope}`;
  if (scope >= 3) {
    return `${setting}, which forbids it to everyone until the next boot`;
  }
  if (scope === 0 || mayTrace() || (scope === 1 && ofStarted)) {
    return undefined;
  }
  const remedy = 'run as root, or add CAP_SYS_PTRACE';
  return scope === 2
    ? `${setting}, which demands CAP_SYS_PTRACE: ${remedy}`
    : `${setting}, which allows it only of programs that mapscope has started itself: ${remedy}`;
}

/** The error for a process that was refused when /proc said what it is. */
export function notLookedAt(pid: number): UserError {
  const sentence = `mapscope is not allowed to look at process ${pid}${why(pid)}.`;
  return new UserError(sentence, EXIT.cannotObserve);
}

/** The error for a process whose memory was refused, although /proc said what it is. */
export function memoryNotRead(pid: number): UserError {
  const yama = yamaForbids({ ofStarted: false });
  const reason = yama === undefined ? why(pid) : `: ${yama}`;
  return new UserError(
    `mapscope is not allowed to read the memory of process ${pid}${reason}.`,
    EXIT.cannotObserve,
  );
}

/** The error for an executable that may not be opened, of a process or at a path. */
export function fileNotRead(path: string): UserError {
  const how = 'run as a user who may read the file, as root, or with CAP_DAC_READ_SEARCH';
  return new UserError(`mapscope is not allowed to read ${path}: ${how}.`, EXIT.cannotObserve);
}

/** The error for a process that /proc does not show. */
export function notFound(pid: number): UserError {
  return new UserError(whyNotFound(pid), EXIT.cannotObserve);
}

function whyNotFound(pid: number): string {
  if (isHidden(pid)) {
    return `Process ${pid} is hidden from mapscope (/proc is mounted with hidepid): ${OTHER_USERS}.`;
  }
  return isAlive(pid)
    ? `Process ${pid} executes no program: it is a kernel thread, or has ended.`
    : `There is no process ${pid}.`;
}

/** Whether /proc does not show a process that there is. */
export function isHidden(pid: number): boolean {
  return statSync(`/proc/${pid}`, { throwIfNoEntry: false }) === undefined && isAlive(pid);
}

const OTHER_USERS = 'run as the same user, as root, or with CAP_SYS_PTRACE';

/** Asks the kernel itself, which /proc may hide processes of. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isRefusal(error);
  }
}

/** The rest of a sentence: what the kernel goes by (ptrace_may_access), and what would help. */
function why(pid: number): string {
  const [own, other] = [credentials('self'), credentials(pid)];
  if (own === undefined || other === undefined) {
    return `: ${OTHER_USERS}`;
  }
  if (hasCapability(own.effective, SYS_PTRACE)) {
    return ', although it has CAP_SYS_PTRACE: the process is of another user namespace, or a security module protects it';
  }
  const difference =
    differingIds('user', own.users, other.users) ?? differingIds('group', own.groups, other.groups);
  if (difference !== undefined) {
    return `, ${difference}: ${OTHER_USERS}`;
  }
  if (other.permitted & ~own.permitted) {
    return ', which has capabilities that mapscope has not: run as root, or with CAP_SYS_PTRACE';
  }
  if (isProtected(pid, other)) {
    return ', which is not dumpable (its file is unreadable, it has changed its user, or it wants to be so): run as root, or with CAP_SYS_PTRACE';
  }
  return ': run as root, or with CAP_SYS_PTRACE';
}

function differingIds(what: string, own: readonly number[], other: readonly number[]): string | undefined {
  const [mine] = own;
  const theirs = other.slice(0, 3).find((id) => id !== mine);
  return theirs === undefined ? undefined : `which runs as ${what} ${theirs} and not as ${mine}`;
}

/** Files of a process in /proc belong to its user, or to root when the process is not dumpable. */
function isProtected(pid: number, { users }: Credentials): boolean {
  return statSync(`/proc/${pid}/maps`, { throwIfNoEntry: false })?.uid !== users[1];
}
