import { type ChildProcess, spawn } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Run } from './part.ts';
import { cpuTime } from './processes.ts';

/** What one program did in some time. */
interface Work {
  readonly cpuSeconds: number;
  readonly pieces: number;
}

/** What both did in the same time. */
export interface Share {
  readonly first: Work;
  readonly second: Work;
  /** CPU time of a piece of the first over that of the second. */
  readonly ratio: number;
}

/** The processor that both share. */
const CPU = 0;

/**
 * Two equal programs on one processor. How fast a processor is wanders by a third within seconds, and two of them wander apart; but two
 * programs that share one get slow and fast together, and what a piece of work costs one of them over the other is the same
 * within a few tenths of a percent. Each runs a file of its own: probes are in a file, and both would have them.
 */
export class EqualPair {
  readonly first: Counting;
  readonly second: Counting;

  private constructor(first: Counting, second: Counting) {
    this.first = first;
    this.second = second;
  }

  /** @param path of a program that answers each line of its input with the number of pieces of work that it has done */
  static async start(run: Run, path: string, args: readonly string[]): Promise<EqualPair> {
    const [first, second] = await Promise.all([1, 2].map(() => Counting.start(run, path, args)));
    if (first === undefined || second === undefined) {
      throw new Error('a pair has two');
    }
    return new EqualPair(first, second);
  }

  /** What both do while some time passes, from its begin to its end. */
  async share(seconds: number): Promise<Share> {
    const before = await this.#read();
    await delay(1000 * seconds);
    const after = await this.#read();
    const first = difference(after[0], before[0]);
    const second = difference(after[1], before[1]);
    return { first, second, ratio: costOf(first) / costOf(second) };
  }

  async stop(): Promise<void> {
    await Promise.all([this.first.stop(), this.second.stop()]);
  }

  #read(): Promise<[Work, Work]> {
    return Promise.all([this.first.read(), this.second.read()]);
  }
}

function difference(after: Work, before: Work): Work {
  return { cpuSeconds: after.cpuSeconds - before.cpuSeconds, pieces: after.pieces - before.pieces };
}

function costOf({ cpuSeconds, pieces }: Work): number {
  return cpuSeconds / pieces;
}

/** One of the two. */
class Counting {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #ended: Promise<void>;

  private constructor(child: ChildProcess, answers: AsyncIterator<string>, ended: Promise<void>) {
    this.#child = child;
    this.#answers = answers;
    this.#ended = ended;
  }

  static async start(run: Run, path: string, args: readonly string[]): Promise<Counting> {
    const folder = await mkdtemp(join(tmpdir(), 'mapscope-pair-'));
    const own = join(folder, 'program');
    await copyFile(path, own);
    const child = spawn('taskset', ['--cpu-list', `${CPU}`, own, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, GOMAXPROCS: '1' },
    });
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    child.on('exit', () => resolve());
    const program = new Counting(
      child,
      createInterface({ input: child.stdout })[Symbol.asyncIterator](),
      ended,
    );
    run.after(async () => {
      await program.stop();
      await rm(folder, { recursive: true, force: true });
    });
    if ((await program.#line()) !== 'ready') {
      throw new Error(`${path} does not get ready`);
    }
    return program;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async read(): Promise<Work> {
    this.#child.stdin?.write('\n');
    const pieces = Number(await this.#line());
    return { cpuSeconds: cpuTime(this.pid), pieces };
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#answers.next();
    if (done === true) {
      throw new Error('the program has ended');
    }
    return value;
  }
}
