import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ObservationMode } from '../../src/model/snapshot.ts';
import { Observation } from '../../src/observe/observation.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { opened } from '../support/opened.ts';

/** A goroutine of the service, and the one that started it. */
export interface Worker {
  readonly goroutine: number;
  readonly parentGoroutine: number;
}

/** The Go program test/services/goroutines, told what to do, under observation. */
export class GoroutineService {
  readonly observation: Observation;
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  private constructor(child: ChildProcess, answers: AsyncIterator<string>, observation: Observation) {
    this.#child = child;
    this.#answers = answers;
    this.observation = observation;
  }

  static async start(version: string, mode: ObservationMode = 'all'): Promise<GoroutineService> {
    const dir = fileURLToPath(new URL('../services/goroutines', import.meta.url));
    const path = await buildGo({ dir, version });
    const child = spawn(path, { stdio: ['pipe', 'pipe', 'ignore'] });
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    // An answer shows that the program runs.
    child.stdin.write('who\n');
    await answers.next();
    const observation = await Observation.start({
      ...opened(child.pid ?? 0),
      mode,
      budget: 1,
      goroutineCosts: true,
    });
    return new GoroutineService(child, answers, observation);
  }

  /** Returns when it is done, with what is answered. */
  async tell(command: string): Promise<string> {
    this.#child.stdin?.write(`${command}\n`);
    return (await this.#answers.next()).value;
  }

  async workers(): Promise<Worker[]> {
    const answer = await this.tell('who');
    return answer.split(',').map((worker) => {
      const [goroutine, parentGoroutine] = worker.split(' ').map(Number);
      return { goroutine: goroutine ?? 0, parentGoroutine: parentGoroutine ?? 0 };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await ended;
  }
}
