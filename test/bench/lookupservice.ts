import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { buildGo } from '../support/go-toolchains.ts';

/** One kind of lookup that the service test/services/lookups can measure, e.g. `fast64 large hit`. */
export type Case = string;

/** All cases: key kind, size of the map, outcome. */
export const CASES: readonly Case[] = ['fast64', 'faststr', 'generic'].flatMap((kind) =>
  ['small', 'large'].flatMap((size) => ['hit', 'miss'].map((outcome) => `${kind} ${size} ${outcome}`)),
);

/** A running Go program that does lookups on demand and says how long they took. */
export class LookupService {
  readonly path: string;
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  private constructor(path: string, child: ChildProcess, answers: AsyncIterator<string>) {
    this.path = path;
    this.#child = child;
    this.#answers = answers;
  }

  static async start(version = 'local'): Promise<LookupService> {
    const dir = fileURLToPath(new URL('../services/lookups', import.meta.url));
    const path = await buildGo({ dir, version });
    const child = spawn(path, { stdio: ['pipe', 'pipe', 'inherit'] });
    const service = new LookupService(
      path,
      child,
      createInterface({ input: child.stdout })[Symbol.asyncIterator](),
    );
    // An answer shows that the program runs; attaching comes after that.
    await service.measure('fast64 small hit', 1);
    return service;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /**
   * @param lookups of each goroutine
   * @returns nanoseconds per lookup of one goroutine
   */
  async measure(one: Case, lookups: number, goroutines = 1): Promise<number> {
    this.#child.stdin?.write(`${one} ${lookups} ${goroutines}\n`);
    const { value } = await this.#answers.next();
    return Number(value) / lookups;
  }

  stop(): void {
    this.#child.kill();
  }
}
