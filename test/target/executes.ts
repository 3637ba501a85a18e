import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { buildGo } from '../support/go-toolchains.ts';

const DIR = join(import.meta.dirname, '../services/executes');

/** Builds the program that executes others. Flags make builds whose code is elsewhere. */
export const buildExecutes = (version = 'local', flags: readonly string[] = []): Promise<string> =>
  buildGo({ dir: DIR, version, flags });

/** A running service that executes another program when it is told to. */
export class Executes {
  readonly path: string;
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  private constructor(path: string, child: ChildProcess, lines: Interface) {
    this.path = path;
    this.#child = child;
    this.#answers = lines[Symbol.asyncIterator]();
  }

  static async start(
    context: { after(end: () => void): void },
    path: string,
    args: readonly string[] = [],
  ): Promise<Executes> {
    const child = spawn(path, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    context.after(() => void child.kill('SIGKILL'));
    const service = new Executes(path, child, createInterface({ input: child.stdout }));
    await service.#answer('ready');
    return service;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Has the process execute a program of the same kind; it runs when this resolves. */
  async execute(path: string, by: 'exec' | 'thread' = 'exec'): Promise<void> {
    this.#child.stdin?.write(`${by} ${path}\n`);
    await this.#answer('ready');
  }

  /** Has the process execute any program, and does not wait for what that says. */
  become(...command: readonly string[]): void {
    this.#child.stdin?.write(`exec ${command.join(' ')}\n`);
  }

  /** Keeps all from looking at the process that have no CAP_SYS_PTRACE. */
  async protect(): Promise<void> {
    this.#child.stdin?.write('protect\n');
    await this.#answer('protected');
  }

  /** Lookups that gave a wrong result: none unless somebody has damaged the program. It answers, so it lives. */
  async wrongLookups(): Promise<number> {
    this.#child.stdin?.write('wrong\n');
    return Number((await this.#answer('wrong')).split(' ')[1]);
  }

  async #answer(beginning: string): Promise<string> {
    const { value, done } = await this.#answers.next();
    if (done || !value.startsWith(beginning)) {
      throw new Error(`the program said ${done ? 'nothing more' : value}, not ${beginning}`);
    }
    return value;
  }
}
