import { execFile } from 'node:child_process';
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

/** What a load came to; latencies in microseconds. */
export type WebLoad = z.infer<typeof loadReport>;

/** A running test/services/web. */
export class WebService {
  readonly pid: number;
  readonly #path: string;
  readonly #address: string;

  private constructor(path: string, pid: number, address: string) {
    this.#path = path;
    this.pid = pid;
    this.#address = address;
  }

  static async start(run: Run): Promise<WebService> {
    const path = await buildGo({ dir: DIR, version: 'local' });
    const service = Service.start(run, 'the web service', [path, 'serve']);
    const address = await service.until(() => /^ready (\S+)$/m.exec(service.output)?.[1]);
    return new WebService(path, service.pid, address);
  }

  /** @param rate requests per second; 0: as many as possible */
  async load(seconds: number, rate: number): Promise<WebLoad> {
    const args = ['load', `-address=${this.#address}`, `-duration=${seconds}s`, `-rate=${rate}`];
    const { stdout } = await promisify(execFile)(this.#path, args);
    return loadReport.parse(JSON.parse(stdout));
  }
}
