import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { Summary } from '../../src/report/summary/schema.ts';
import { checkSummary } from '../support/accounts.ts';
import { startCommand } from '../support/command.ts';
import type { Owner } from '../support/service.ts';
import { until } from '../support/until.ts';

/** Time of processors that a process has used, in seconds: to the nanosecond, of the threads that it has now. */
export function cpuTime(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => sum + threadTime(`/proc/${pid}/task/${thread}/schedstat`), 0);
}

function threadTime(path: string): number {
  try {
    return Number(readFileSync(path, 'utf8').split(' ')[0]) / 1e9;
  } catch {
    return 0; // It has ended meanwhile.
  }
}

/** Memory of a process in MB: resident now, and at most so far. */
export function memory(pid: number): { resident: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const megabytes = (field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1000;
  return { resident: megabytes('VmRSS'), peak: megabytes('VmHWM') };
}

/** A running `mapscope attach`, as a user would start it. */
export class Sidecar {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #report: Promise<string>;

  private constructor(child: ChildProcess, report: Promise<string>) {
    this.pid = child.pid ?? 0;
    this.#child = child;
    this.#report = report;
  }

  /** Returns when programs are loaded for all targets. */
  static async attach(
    owner: Owner,
    args: readonly string[],
    targets: number,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Sidecar> {
    const child = startCommand(['attach', '--format', 'jsonl', ...args], env);
    child.stderr.pipe(process.stderr);
    owner.after(async () => {
      child.kill('SIGKILL');
    });
    const sidecar = new Sidecar(child, text(child.stdout));
    await until(() => sidecar.#programs() >= targets, 'mapscope loads its programs');
    return sidecar;
  }

  #programs(): number {
    if (this.#child.exitCode !== null) {
      throw new Error('mapscope has ended early');
    }
    return readdirSync(`/proc/${this.pid}/fd`).filter((fd) => this.#isProgram(fd)).length;
  }

  #isProgram(fd: string): boolean {
    try {
      return readlinkSync(`/proc/${this.pid}/fd/${fd}`).includes('bpf-prog');
    } catch {
      return false; // It has been closed meanwhile.
    }
  }

  /** Ends the observation as Ctrl-C does, and returns its reports, one per target. */
  async stop(): Promise<Summary[]> {
    this.#child.kill('SIGINT');
    if (this.#child.exitCode === null) {
      await once(this.#child, 'exit');
    }
    const documents = (await this.#report).trimEnd().split('\n');
    return documents.map((document) => checkSummary(JSON.parse(document)));
  }
}
