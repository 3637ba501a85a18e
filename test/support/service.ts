import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';

/** Longer than anything takes on a busy machine; what is waited for comes much sooner. */
const PATIENCE_MILLIS = 60_000;

/** How much of what a service says is kept, to tell it when something goes wrong. */
const KEPT_OUTPUT = 16_384;

/** Whoever starts something and wants it ended when they are done: a test's context, or node:test itself. */
export interface Owner {
  after(end: () => Promise<void>): void;
}

/** A program that runs in the background until it is stopped. */
export class Service {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #output = '';
  #failure: string | undefined;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-KEPT_OUTPUT);
      });
    }
    this.#exited = once(child, 'close').catch((error: Error) => {
      this.#failure = error.message;
    });
  }

  /** Starts a program. It is ended with its owner at the latest. */
  static start(
    owner: Owner,
    name: string,
    [command, ...args]: readonly [string, ...string[]],
    env: Readonly<Record<string, string>> = {},
  ): Service {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    const service = new Service(name, child);
    owner.after(async () => {
      await service.stop();
    });
    return service;
  }

  get pid(): number {
    if (this.#child.pid === undefined) {
      throw new Error(`${this.name} has not started`);
    }
    return this.#child.pid;
  }

  /** The end of what the program has written to its standard output and its standard error. */
  get output(): string {
    return this.#output;
  }

  /** @returns false when it has ended already */
  kill(signal: NodeJS.Signals): boolean {
    return this.#child.kill(signal);
  }

  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Waits for the end. */
  async ended(): Promise<void> {
    await this.#exited;
  }

  /** Null while it runs, and when a signal has ended it. */
  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  get #ended(): boolean {
    return this.#failure !== undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Asks until there is an answer other than undefined; an error when the program ends before that. */
  async until<T>(ask: () => T | undefined | Promise<T | undefined>): Promise<T> {
    const end = performance.now() + PATIENCE_MILLIS;
    for (;;) {
      const ended = this.#ended;
      const answer = await ask();
      if (answer !== undefined) {
        return answer;
      }
      if (ended) {
        throw this.#error('ended too early');
      }
      if (performance.now() > end) {
        throw this.#error(`did not do what was waited for within ${PATIENCE_MILLIS} ms`);
      }
      await wait(20);
    }
  }

  /** Ends the program, by SIGTERM first. Returns its exit status; null when it had to be killed. */
  async stop(): Promise<number | null> {
    if (!this.#ended) {
      this.#child.kill();
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MILLIS);
      await this.#exited;
      clearTimeout(timer);
    }
    await this.#exited;
    return this.#child.exitCode;
  }

  #error(what: string): Error {
    const said = [this.#failure, this.#output.trimEnd()].filter((text) => text).join('\n');
    return new Error(`${this.name} ${what}${said ? `; it said:\n${said}` : ''}`);
  }
}
