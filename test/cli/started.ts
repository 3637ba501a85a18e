import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { after } from 'node:test';
import { commandLine, ROOT } from '../support/command.ts';
import { until } from '../support/until.ts';

const running: ChildProcess[] = [];
after(() => {
  for (const child of running) {
    child.kill('SIGKILL');
  }
});

/** A started command, and what it has written so far. */
export class Started {
  readonly child: ChildProcess;
  readonly #closed: Promise<unknown[]>;
  text = '';

  constructor(file: string, args: readonly string[]) {
    this.child = spawn(file, args, { cwd: ROOT, stdio: ['pipe', 'pipe', 'pipe'] });
    running.push(this.child);
    this.#closed = once(this.child, 'close');
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (data) => {
        this.text += String(data);
      });
    }
  }

  async says(what: string): Promise<void> {
    await until(
      () => this.text.includes(what),
      () => `${what}: ${this.text}`,
    );
  }

  /** @returns the exit status, or the signal */
  async ended(): Promise<unknown> {
    const [status, signal] = await this.#closed;
    return status ?? signal;
  }
}

export function mapscope(...args: readonly string[]): Started {
  const [file, ...rest] = commandLine(...args);
  return new Started(file, rest);
}
