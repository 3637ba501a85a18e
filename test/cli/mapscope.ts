import { execFile } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Summary } from '../../src/report/summary/schema.ts';
import { checkReports } from '../support/accounts.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Run under another command, such as setpriv. */
  readonly under?: readonly string[];
}

/** Runs the command as a user would, from the checkout's top folder. What it reports must add up. */
export async function mapscope(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const result = await command(args, options);
  checkReports(result.stdout);
  return result;
}

function command(args: readonly string[], { env, under = [] }: CommandOptions): Promise<CommandResult> {
  const [file = '', ...rest] = [...under, process.execPath, MAIN, ...args];
  return new Promise((resolve) => {
    execFile(
      file,
      rest,
      { cwd: ROOT, env: { ...process.env, ...env }, maxBuffer: 1 << 28 },
      (error, stdout, stderr) => {
        resolve({
          status: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1,
          stdout,
          stderr,
        });
      },
    );
  });
}

/** Runs the command with a JSON report on stdout, and reads it: the last lines, after what the program itself printed. */
export async function summaryOf(args: readonly string[]): Promise<Summary> {
  const { status, stdout, stderr } = await mapscope(args);
  if (status !== 0) {
    throw new Error(`mapscope ended with status ${status}: ${stderr}`);
  }
  return JSON.parse(stdout.slice(stdout.indexOf('{\n  "schema"')));
}

/** Whether a process holds probes. */
export function isAttached(pid: number): boolean {
  const fds = `/proc/${pid}/fd`;
  return readdirSync(fds).some((fd) => {
    try {
      return /bpf.link/.test(readlinkSync(`${fds}/${fd}`));
    } catch {
      return false; // It has been closed meanwhile.
    }
  });
}
