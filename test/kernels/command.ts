import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const MOST_OUTPUT = 64 * 1024 * 1024;

/** Runs a program, and says what it said when it fails. @returns its standard output */
export async function run(program: string, args: readonly string[], cwd?: string): Promise<string> {
  const options = { maxBuffer: MOST_OUTPUT, ...(cwd !== undefined && { cwd }) };
  const { stdout } = await promisify(execFile)(program, args, options);
  return stdout;
}
