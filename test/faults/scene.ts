/* A service under load, mapscope beside it, and a receiver: what faults happen to. */
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandLine } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { changedBytes, type KernelObjects, objectsOf, thoseLeft } from '../support/left-behind.ts';
import { LookupsReceived } from '../support/otlp-receiver/lookups-received.ts';
import { startReceiver } from '../support/otlp-receiver/receiver.ts';
import { type Owner, Service } from '../support/service.ts';
import { until } from '../support/until.ts';
import { decoded } from '../target/counted.ts';
import { Front } from './front.ts';

const STEADY = join(import.meta.dirname, '../services/steady');
/** Lookups a second: enough that each window has some. */
const LOAD = ['-rate', '20000', '-goroutines', '4'];
/** The same program as other bytes. */
const OTHER_BUILD = ['-gcflags=all=-N'];

const ENVIRONMENT = {
  OTEL_METRIC_EXPORT_INTERVAL: '500',
  // Half a minute otherwise, in which an export is tried again and again before anything is said.
  OTEL_METRIC_EXPORT_TIMEOUT: '2000',
};

const UNAVAILABLE = 14;

export interface SidecarOptions {
  /** Words that it is run under. */
  readonly under?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly mode?: 'windows' | 'all';
  readonly options?: readonly string[];
}

/** What was seen of a sidecar and the service when the sidecar had ended. */
export interface Leavings {
  /** Lookups that the kernel had counted, and of those the ones that the receiver was never told of. */
  readonly counted: number;
  readonly lost: number;
}

/** Ends with its owner. */
export class Scene {
  readonly owner: Owner;
  /** Of this scene alone. */
  readonly folder: string;
  readonly front: Front;
  readonly received: LookupsReceived;
  /** How the receiver answers. */
  readonly receiver: { refuses: boolean; delayMillis: number; requests: number };
  readonly #executable: string;
  #service: Service | undefined;
  #sidecar: Service | undefined;
  /** What the receiver knew of the service when the sidecar was started. */
  #toldBefore = 0;

  private constructor(
    owner: Owner,
    folder: string,
    front: Front,
    received: LookupsReceived,
    receiver: Scene['receiver'],
  ) {
    this.owner = owner;
    this.folder = folder;
    this.front = front;
    this.received = received;
    this.receiver = receiver;
    this.#executable = join(folder, `faulty-${process.pid}`);
  }

  static async create(owner: Owner): Promise<Scene> {
    const folder = mkdtempSync(join(tmpdir(), 'mapscope-faults-'));
    owner.after(async () => rmSync(folder, { recursive: true, force: true }));
    const received = new LookupsReceived();
    const state = { refuses: false, delayMillis: 0, requests: 0 };
    const receiver = await startReceiver({
      refuse: async () => {
        await new Promise((resolve) => setTimeout(resolve, state.delayMillis));
        return state.refuses ? { code: UNAVAILABLE, details: 'busy' } : undefined;
      },
      taken: (request) => {
        state.requests++;
        received.take(request);
      },
    });
    // It says what was broken on the way.
    owner.after(() => receiver.close());
    const front = await Front.start(owner, receiver.port);
    const scene = new Scene(owner, folder, front, received, state);
    await scene.install();
    return scene;
  }

  /** Puts the service's executable where it is started from, in place of one that may be running. */
  async install(which: 'usual' | 'other' = 'usual'): Promise<void> {
    const flags = which === 'other' ? OTHER_BUILD : [];
    copyFileSync(await buildGo({ dir: STEADY, version: 'local', flags }), `${this.#executable}.new`);
    renameSync(`${this.#executable}.new`, this.#executable);
  }

  get service(): Service {
    return present(this.#service);
  }

  get sidecar(): Service {
    return present(this.#sidecar);
  }

  async startService(under: readonly string[] = []): Promise<void> {
    const [file = '', ...args] = [...under, this.#executable, ...LOAD];
    this.#service = Service.start(this.owner, 'the service', [file, ...args]);
    await this.service.until(() => this.service.output.includes('ready') || undefined);
  }

  /** The service ends, as it does when it is stopped properly, or not. */
  async endService(signal: NodeJS.Signals): Promise<void> {
    this.service.kill(signal);
    this.service.kill('SIGCONT');
    await this.service.ended();
  }

  /** Starts `mapscope sidecar`; it need not observe anything yet. */
  startSidecar({ under = [], env = {}, mode = 'windows', options = [] }: SidecarOptions = {}): void {
    const command = commandLine(
      ...['sidecar', '--exe', this.#executable, '--mode', mode, '--budget', '10%'],
      ...['--otlp-endpoint', this.front.endpoint, ...options],
    );
    const [file = '', ...args] = [...under, ...command];
    this.#toldBefore = this.received.of(this.service.pid);
    this.#sidecar = Service.start(this.owner, 'mapscope', [file, ...args], { ...ENVIRONMENT, ...env });
  }

  /**
   * Waits until it observes the service, and the receiver was told of further lookups. Another sidecar begins to count anew.
   *
   * @returns after how many milliseconds
   */
  async observes(): Promise<number> {
    const begin = performance.now();
    const { pid } = this.service;
    const before = this.received.of(pid);
    await this.sidecar.until(() => this.received.of(pid) !== before || undefined);
    return performance.now() - begin;
  }

  /** What the kernel has counted for the sidecar of the service that runs now. */
  get counted(): number {
    return decoded(this.sidecar.pid);
  }

  /**
   * Stops the service for a while, and waits until the receiver was told of just what the kernel has counted.
   *
   * @returns how many lookups that are
   */
  async agree(): Promise<number> {
    this.service.kill('SIGSTOP');
    try {
      return await this.told();
    } finally {
      this.service.kill('SIGCONT');
    }
  }

  /** The same of a service that does nothing. */
  async told(): Promise<number> {
    const { pid } = this.service;
    let counted = 0;
    await until(
      () => {
        counted = this.counted;
        return counted > 0 && this.received.of(pid) === counted;
      },
      () => `the kernel has counted ${counted}, the receiver was told of ${this.received.of(pid)}`,
    );
    return counted;
  }

  /**
   * What becomes of the kernel's objects and of the service when the sidecar ends by a signal.
   *
   * @param afterwards sent to the service
   */
  async endSidecar(signal: NodeJS.Signals, afterwards?: NodeJS.Signals): Promise<Leavings> {
    const { pid } = this.sidecar;
    // What it holds at that instant, and no later one.
    this.sidecar.kill('SIGSTOP');
    await until(() => isStopped(pid), 'mapscope is stopped');
    const [objects, counted] = [objectsOf(pid), this.counted];
    this.sidecar.kill(signal);
    this.sidecar.kill('SIGCONT');
    await this.sidecar.ended();
    if (afterwards !== undefined) {
      this.service.kill(afterwards);
    }
    await this.leftNothing(objects);
    return { counted, lost: Math.max(0, counted - this.#toldBySidecar()) };
  }

  /** What the receiver knows of the service was told by the sidecar of now, or still by the one before. */
  #toldBySidecar(): number {
    const told = this.received.of(this.service.pid);
    return told === this.#toldBefore ? 0 : told;
  }

  /** Waits until nothing is left of a sidecar that has ended, and the service goes on. */
  async leftNothing(objects: KernelObjects): Promise<void> {
    const { service } = this;
    await until(
      () => thoseLeft(objects).length === 0,
      () => `the kernel still has ${thoseLeft(objects)}`,
    );
    await until(
      () => changedBytes(service.pid) === 0,
      () => `${changedBytes(service.pid)} bytes of the service's code are not those of its file`,
    );
    await this.lives();
  }

  /** Waits until the service has worked on. */
  async lives(): Promise<void> {
    const { service } = this;
    const before = slices(service.pid);
    await until(() => slices(service.pid) > before + 10, 'the service works on');
  }
}

function present(service: Service | undefined): Service {
  if (service === undefined) {
    throw new Error('it has not been started');
  }
  return service;
}

function isStopped(pid: number): boolean {
  return /^State:\s+[TZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

/** How often the threads of a process have been on a CPU: each time they make some lookups. */
function slices(pid: number): number {
  const folder = `/proc/${pid}/task`;
  return readdirSync(folder).reduce((sum, thread) => {
    const [, , times = '0'] = readFileSync(`${folder}/${thread}/schedstat`, 'utf8').split(' ');
    return sum + Number(times);
  }, 0);
}
