/*
 * The command that users run: what is bundled, not the sources. Whoever runs mapscope in a test, a benchmark or the demo does it
 * with this file, which alone knows where the command is.
 */

import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Summary } from '../../src/report/summary/schema.ts';
import { bundle } from '../../tools/setup/bundle.mjs';
import { checkReports } from './accounts.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Starts the command, seen from the top of a checkout. */
export const START = 'src/cli/start.mjs';

/** Throws where the bundle was made of other sources than those that are there: a test of it would say nothing of them. */
export function assertBundled(checkout: string): void {
  if (!bundle.isCurrent(checkout)) {
    throw new Error('The bundled command is older than its sources: run npm run setup.');
  }
}

let isChecked = false;

/**
 * The words that run mapscope with these arguments.
 *
 * @throws Error when the command is not bundled as its sources are now
 */
export function commandLine(...args: readonly string[]): [file: string, ...args: string[]] {
  if (!isChecked) {
    assertBundled(ROOT);
    isChecked = true;
  }
  return [process.execPath, join(ROOT, START), ...args];
}

/** Starts the command, for tests that do something while it runs. They end it, and read what it writes. */
export function startCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcessByStdio<null, Readable, Readable> {
  const [file, ...rest] = commandLine(...args);
  return spawn(file, rest, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

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
  const result = await run(args, options);
  checkReports(result.stdout);
  return result;
}

function run(args: readonly string[], { env, under = [] }: CommandOptions): Promise<CommandResult> {
  const [file = '', ...rest] = [...under, ...commandLine(...args)];
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
