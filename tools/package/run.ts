import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Lines of a failed command's output that its error tells. */
const TOLD_LINES = 20;

export interface RunOptions {
  readonly cwd?: string;
  /** On top of this process's own variables. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a command to its end.
 *
 * @returns what it wrote to its standard output
 * @throws Error with the end of its output when it fails
 */
export async function run(
  command: string,
  args: readonly string[],
  { cwd, env }: RunOptions = {},
): Promise<string> {
  try {
    const options = { cwd, env: { ...process.env, ...env }, maxBuffer: 1 << 28 };
    return (await execute(command, args, options)).stdout;
  } catch (error) {
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string };
    const said = `${stdout}${stderr}`.trimEnd().split('\n').slice(-TOLD_LINES).join('\n');
    throw new Error(`${command} failed: ${said === '' ? message : `\n${said}`}`, { cause: error });
  }
}
