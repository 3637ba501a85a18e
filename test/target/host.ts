import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buildProgram } from '../native/support.ts';
import { buildGo } from '../support/go-toolchains.ts';

const LIBRARY = join(import.meta.dirname, '../services/library');

/** Another build of the library: another runtime, when a process loads both. */
export const OTHER_LIBRARY = ['-gcflags=all=-N'];

/** Builds the library that looks keys up, for programs of other languages. */
export const buildLibrary = (version = 'local', flags: readonly string[] = []): Promise<string> =>
  buildGo({ dir: LIBRARY, version, flags: ['-buildmode=c-shared', ...flags] });

/** The same as a program of Go's own, which a dynamic loader can start. */
export const buildPie = (): Promise<string> =>
  buildGo({ dir: LIBRARY, version: 'local', flags: ['-buildmode=pie'] });

/** A program that is started, says "ready" and runs until its owner has ended. */
export class Host {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(
    context: { after(end: () => void): void },
    [command = '', ...args]: readonly string[],
  ): Promise<Host> {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    context.after(() => void child.kill('SIGKILL'));
    const { value } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
    if (value !== 'ready') {
      throw new Error(`${command} said ${value}`);
    }
    return new Host(child);
  }

  /** A program in C that loads these libraries. */
  static ofLibraries(context: { after(end: () => void): void }, libraries: readonly string[]): Promise<Host> {
    return Host.start(context, [buildProgram('host.c', '-ldl'), ...libraries]);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** It has not ended: it does when a lookup of its own goes wrong. */
  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Writes a line to its standard input. */
  tell(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Has the main thread of a program in C end. */
  leaveMainThread(): void {
    this.tell('leave');
  }
}
