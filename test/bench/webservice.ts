import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { buildGo } from '../support/go-toolchains.ts';
import { Service } from '../support/service.ts';
import type { Run } from './part.ts';

const DIR = fileURLToPath(new URL('../services/web', import.meta.url));

const loadReport = z.strictObject({
  requests: z.number(),
  seconds: z.number(),
  p50: z.number(),
  p99: z.number(),
  p999: z.number(),
});

/** What the load of one service came to; latencies in microseconds. */
export type WebLoad = z.infer<typeof loadReport>;

export interface LoadOptions {
  readonly seconds: number;
  /** Articles in each list that is asked for. */
  readonly count: number;
  /** To each service, all used at the same time. */
  readonly connections: number;
  /** Requests per second to each; without it as many as possible. */
  readonly rate?: number;
}

/** A running test/services/web. */
export class WebService {
  readonly pid: number;
  /** The file that it runs. */
  readonly path: string;
  readonly #address: string;

  private constructor(pid: number, path: string, address: string) {
    this.pid = pid;
    this.path = path;
    this.#address = address;
  }

  /**
   * Starts a service, from a file of its own unless it is given one: the kernel goes through all processes that run a file with
   * probes.
   */
  static async start(run: Run, file?: string): Promise<WebService> {
    const path = file ?? (await WebService.#ownFile(run));
    const service = Service.start(run, 'the web service', [path]);
    const address = await service.until(() => /^ready (\S+)$/m.exec(service.output)?.[1]);
    return new WebService(service.pid, path, address);
  }

  static async #ownFile(run: Run): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'mapscope-web-'));
    run.after(() => rm(folder, { recursive: true, force: true }));
    const path = join(folder, 'web');
    await copyFile(await buildGo({ dir: DIR, version: 'local' }), path);
    return path;
  }

  /** Loads services at the same time. */
  static async load(services: readonly WebService[], requests: LoadOptions): Promise<WebLoad[]> {
    const { seconds, count, connections, rate = 0 } = requests;
    const load = await buildGo({ dir: DIR, package: './cmd/load', version: 'local' });
    const addresses = services.map((service) => service.#address).join();
    const args = [`-addresses=${addresses}`, `-duration=${seconds}s`, `-count=${count}`];
    args.push(`-connections=${connections}`, `-rate=${rate}`);
    const { stdout } = await promisify(execFile)(load, args);
    return z.array(loadReport).parse(JSON.parse(stdout));
  }
}
