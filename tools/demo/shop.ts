import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { commandLine } from '../../test/support/command.ts';
import { buildGo } from '../../test/support/go-toolchains.ts';
import { commandText } from './report.ts';

/** A web service under load, observed, with a live page. */
export interface ObservedShop {
  /** Where the page is. */
  readonly url: string;
  /** The file that the page is written to at the end. */
  readonly page: string;
  /** Settles when the observation has ended. */
  readonly ended: Promise<void>;
  /** Ends load, observation and service, in this order. */
  stop(): Promise<void>;
}

export interface ShopOptions {
  readonly root: string;
  /** File for the page. */
  readonly page: string;
  /** OTLP endpoint. */
  readonly endpoint: string;
  /** More options of `mapscope attach`. */
  readonly options?: readonly string[];
}

const PATIENCE_MILLIS = 60_000;
/** Requests per second. */
const RATE = 200;
/** The load's longest; then it begins anew. */
const LOAD_DURATION = '5m';

/** Of a terminal; a wider one has them, too. */
const COLUMNS = 100;

/** Builds and starts the shop of the tests, with a load, and observes it. Undefined, with a sentence, when there is no Go here. */
export async function startObservedShop({
  root,
  page,
  endpoint,
  options = [],
}: ShopOptions): Promise<ObservedShop | undefined> {
  const dir = join(root, 'test/services/shop');
  const built = await build(dir, dirname(page));
  if (built === undefined) {
    return undefined;
  }
  const service = new Child(built.shop, ['-tracing', 'sdk']);
  const [, http = '', grpc = ''] = await service.says(/^ready http=(\S+) grpc=(\S+)\n/m);
  const load = new Load(built.load, [
    `-http=${http}`,
    `-grpc=${grpc}`,
    `-rate=${RATE}`,
    `-duration=${LOAD_DURATION}`,
    '-client=header',
  ]);
  const args = [
    'attach',
    '--pid',
    String(service.pid),
    '--ui',
    '--spikes',
    '32',
    '--output',
    page,
    '--otlp-endpoint',
    endpoint,
    ...options,
  ];
  process.stdout.write(`${commandText(['mapscope', ...args], COLUMNS)}\n`);
  const [file, ...rest] = commandLine(...args);
  const observation = new Child(file, rest);
  const stop = async () => {
    await observation.end('SIGINT');
    await load.end();
    await service.end('SIGTERM');
  };
  try {
    const [, url = ''] = await observation.says(/The page is at (\S+)/);
    process.stdout.write(`The page is at ${url}\n`);
    return { url, page, ended: observation.ended, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function build(dir: string, folder: string): Promise<{ shop: string; load: string } | undefined> {
  try {
    // Reports name it: it is to be called what it is, and not what a cache calls it.
    const shop = join(folder, 'shop');
    copyFileSync(await buildGo({ dir, version: 'local', flags: ['-trimpath'] }), shop);
    return { shop, load: await buildGo({ dir, package: './cmd/load', version: 'local' }) };
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    process.stdout.write(
      `The shop, a service with traces, cannot be built here, so there is no live page: ${reason}\n`,
    );
    return undefined;
  }
}

/** Requests until somebody ends them. */
class Load {
  #current: Child;
  #ended = false;

  constructor(command: string, args: readonly string[]) {
    this.#current = new Child(command, args);
    const again = async () => {
      await this.#current.ended;
      if (!this.#ended) {
        this.#current = new Child(command, args);
        void again();
      }
    };
    void again();
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#current.end('SIGTERM');
  }
}

/** A program in the background, whose output nobody sees unless it fails. */
class Child {
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  #output = '';

  constructor(command: string, args: readonly string[]) {
    // In a group of its own: Ctrl-C is for the demo, which ends one after the other.
    this.#child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-16_384);
      });
    }
    this.ended = once(this.#child, 'close').then(
      () => {},
      () => {},
    );
    process.once('exit', () => this.#child.kill('SIGKILL'));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Waits until it says something. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    const end = performance.now() + PATIENCE_MILLIS;
    for (;;) {
      const found = pattern.exec(this.#output);
      if (found !== null) {
        return found;
      }
      if (this.#child.exitCode !== null || performance.now() > end) {
        throw new Error(`A program of the demo did not start: ${this.#output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Asks it to end, and waits for that. */
  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill(signal);
      const impatient = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MILLIS);
      await this.ended;
      clearTimeout(impatient);
    }
  }
}
