import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { Summary } from '../../src/report/summary/schema.ts';
import { checkSummary } from '../support/accounts.ts';
import { startCommand } from '../support/command.ts';
import { until } from '../support/until.ts';
import { decoded } from './counted.ts';

/** A running mapscope command. */
export class Command {
  readonly #child: ChildProcess;
  /** How it has ended, and its standard output. */
  readonly ended: Promise<{ status: number | null; stdout: string }>;
  /** What it has said on stderr so far. */
  said = '';

  constructor(args: readonly string[]) {
    const child = startCommand(args);
    this.#child = child;
    child.stderr.setEncoding('utf8').on('data', (more: string) => {
      this.said += more;
    });
    const output = text(child.stdout);
    this.ended = once(child, 'close').then(async ([status]) => ({ status, stdout: await output }));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits for a condition that it brings about; it may also end before that. */
  async until(holds: () => boolean, what: string): Promise<void> {
    await until(
      () => holds() || !this.isRunning,
      () => `${what}: ${this.said}`,
    );
  }

  /** Files that it holds open. */
  files(): string[] {
    try {
      return readdirSync(`/proc/${this.pid}/fd`).map((fd) => linkOf(`/proc/${this.pid}/fd/${fd}`));
    } catch {
      return [];
    }
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // It has been closed.
  }
}

/** `mapscope attach`, which observes when this resolves. */
export async function attach(pid: number, mode: string) {
  const options = ['--mode', mode, '--format', 'json', '--budget', '50%'];
  const command = new Command(['attach', '--pid', String(pid), ...options]);
  // A link to the kernel: something is loaded, and soon attached.
  const isLink = (file: string) => file.includes('bpf-prog') || file.includes('bpf_link');
  await command.until(() => command.files().some(isLink), 'something is loaded');
  const reports = async () => {
    const { status, stdout } = await command.ended;
    assert.equal(status, 0, command.said);
    return { reports: reportsIn(stdout), stderr: command.said };
  };
  return {
    get isRunning(): boolean {
      return command.isRunning;
    },
    /** What it has said so far. */
    get said(): string {
      return command.said;
    },
    /** Waits until it has said that. */
    says: (what: RegExp) => command.until(() => what.test(command.said), String(what)),
    /** Waits until it has decoded so many hits of what the process executes now. */
    sees: (hits: number) => command.until(() => decoded(command.pid) >= hits, `${hits} hits`),
    /** The reports of the images, in order, when it has ended by itself. */
    ended: reports,
    /** Ends the observation. */
    stop: () => {
      command.kill('SIGINT');
      return reports();
    },
  };
}

/** Of one image the report itself, of several one document that holds them. */
export function reportsIn(output: string): readonly Summary[] {
  const document = JSON.parse(output);
  return (document.targets ?? [document]).map(checkSummary);
}

/** Whether the kernel has put breakpoints into a process: it gives it a page to step over instructions in. */
export function hasBreakpoints(pid: number): boolean {
  return readFileSync(`/proc/${pid}/maps`, 'utf8').includes('[uprobes]');
}
