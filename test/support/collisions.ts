import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { buildGo } from './go-toolchains.ts';
import type { Owner } from './service.ts';

/** Lookups of one key on a goroutine of its own; see test/services/collisions. */
export interface Order {
  readonly site?: 'here' | 'there';
  /** Number of the key: it is compared with `key + 1` keys. */
  readonly key: number;
  readonly count?: number;
  readonly traceId?: string;
  readonly spanId?: string;
}

/** The goroutine that made the lookups of an order, and the one that started it. */
export interface Answer {
  readonly goroutine: number;
  readonly parent: number;
}

/** Buckets (classic) or groups (Swiss) that a lookup of this key visits. */
export const probeLengthOf = (key: number): number => Math.floor(key / 8) + 1;

/** The running program of test/services/collisions. */
export class Collisions {
  readonly path: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  private constructor(path: string, child: ChildProcessWithoutNullStreams) {
    this.path = path;
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    child.stderr.pipe(process.stderr);
  }

  /** Starts it for as long as its owner lives; the map is filled when this returns. */
  static async start(owner: Owner, version = 'local'): Promise<Collisions> {
    const dir = fileURLToPath(new URL('../services/collisions', import.meta.url));
    const path = await buildGo({ dir, version });
    const child = spawn(path);
    owner.after(async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      }
    });
    const collisions = new Collisions(path, child);
    await collisions.#expect(/^ready$/);
    return collisions;
  }

  get pid(): number {
    if (this.#child.pid === undefined) {
      throw new Error('the program has not started');
    }
    return this.#child.pid;
  }

  /** Lets the program run on one CPU only, from now on. */
  moveTo(cpu: number): void {
    execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', `${cpu}`, `${this.pid}`]);
  }

  /** Makes lookups; they have been made when this returns. */
  async lookUp({ site = 'here', key, count = 1, traceId = '-', spanId = '-' }: Order): Promise<Answer> {
    this.#child.stdin.write(`${site} ${key} ${count} ${traceId} ${spanId}\n`);
    const [, goroutine, parent] = await this.#expect(/^done (\d+) (\d+)$/);
    return { goroutine: Number(goroutine), parent: Number(parent) };
  }

  /** Lets the program come to its end. */
  async end(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.stdin.end();
    await exited;
  }

  async #expect(pattern: RegExp): Promise<RegExpExecArray> {
    const { value, done } = await this.#lines.next();
    const match = done === true ? null : pattern.exec(value);
    if (match === null) {
      throw new Error(`the program said ${done === true ? 'nothing more' : value}`);
    }
    return match;
  }
}
