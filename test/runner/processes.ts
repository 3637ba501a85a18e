import { readdirSync, readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';

export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Tells it from another one that has the same pid later. */
  readonly startTicks: string;
}

/** The process of a test file. */
export interface TestProcess extends Process {
  readonly file: string;
}

/** The test files that run now: each is a process of its own that this one has started. */
export function testProcesses(): TestProcess[] {
  return allProcesses()
    .filter(({ parent }) => parent === process.pid)
    .flatMap((child) => {
      const file = lastArgument(child.pid);
      return file === undefined ? [] : [{ ...child, file }];
    });
}

/** Processes with all that they have started, directly or not, as long as their parents live. */
export function withDescendants(ancestors: readonly Process[]): Process[] {
  const all = allProcesses();
  const found = [...ancestors];
  for (const { pid } of found) {
    found.push(...all.filter(({ parent }) => parent === pid));
  }
  return found;
}

/** Sends a signal to those of the processes that still run. */
export function signalAll(processes: readonly Process[], signal: NodeJS.Signals): void {
  const running = new Set(allProcesses().map(identity));
  for (const one of processes.filter((process) => running.has(identity(process)))) {
    try {
      process.kill(one.pid, signal);
    } catch {
      // It has ended by itself.
    }
  }
}

/** What no other process has had or will have. */
export const identity = ({ pid, startTicks }: Process): string => `${pid} ${startTicks}`;

function allProcesses(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = read(`/proc/${name}/stat`);
      // The second field is the command in parentheses, which may hold anything.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const [parent, startTicks] = [fields[1], fields[19]];
      return startTicks === undefined ? [] : [{ pid: Number(name), parent: Number(parent), startTicks }];
    });
}

function lastArgument(pid: number): string | undefined {
  const argument = read(`/proc/${pid}/cmdline`).split('\0').filter(Boolean).at(-1);
  return argument !== undefined && isAbsolute(argument) ? argument : undefined;
}

/** Nothing where the process has ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
