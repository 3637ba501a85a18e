import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import type { Owner } from '../support/service.ts';
import { collectorBinary } from './build.ts';
import { type CollectedExport, parseExport } from './otlp-json.ts';
import { type CollectedLog, parseLogs } from './otlp-json-logs.ts';

/** Longer than anything takes here on a busy machine; what is waited for comes much sooner. */
const PATIENCE_MILLIS = 30_000;

/** Where a collector writes what it receives. */
interface Files {
  readonly metrics: string;
  readonly logs: string;
}

/** What it listens on. */
interface Ports {
  readonly grpc: number;
  readonly http: number;
}

/** A running collector that writes what it receives to a file. */
export class Collector {
  readonly port: number;
  /** For OTLP over HTTP. */
  readonly httpEndpoint: string;
  readonly #child: ChildProcess;
  readonly #files: Files;
  readonly #read: CollectedExport[] = [];

  constructor(child: ChildProcess, { grpc: port, http }: Ports, files: Files) {
    this.#child = child;
    this.port = port;
    this.httpEndpoint = `http://127.0.0.1:${http}`;
    this.#files = files;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The exports written so far, oldest first. */
  async exports(): Promise<CollectedExport[]> {
    const lines = await linesOf(this.#files.metrics);
    // Lines that were read before stay as they were.
    this.#read.push(...lines.slice(this.#read.length).map(parseExport));
    return [...this.#read];
  }

  /** The log records written so far, in the order of their arrival. */
  async logs(): Promise<CollectedLog[]> {
    return (await linesOf(this.#files.logs)).flatMap(parseLogs);
  }

  /** Waits until the log records written so far satisfy a condition. */
  async untilLogs(condition: (logs: CollectedLog[]) => boolean): Promise<CollectedLog[]> {
    return await eventually(async () => {
      const logs = await this.logs();
      return condition(logs) ? logs : undefined;
    });
  }

  /** Waits until the exports written so far satisfy a condition. */
  async until(condition: (exports: CollectedExport[]) => boolean): Promise<CollectedExport[]> {
    return await eventually(async () => {
      const exports = await this.exports();
      return condition(exports) ? exports : undefined;
    });
  }

  async stop(): Promise<void> {
    await stopProcess(this.#child);
  }
}

/** The lines of a file that have been written to their end. */
async function linesOf(file: string): Promise<string[]> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  // What stands after the last line break is still being written.
  return lines.slice(0, -1);
}

/**
 * Starts a collector that lives as long as its owner, on a free port unless one is given.
 *
 * @param otlpHttp where it sends metrics on to as well, as OTLP over HTTP: the part before /v1/metrics
 */
export async function startCollector(owner: Owner, port?: number, otlpHttp?: string): Promise<Collector> {
  const directory = await mkdtemp(join(tmpdir(), 'mapscope-collector-'));
  owner.after(() => rm(directory, { recursive: true, force: true }));
  const files = { metrics: join(directory, 'metrics.json'), logs: join(directory, 'logs.json') };
  const config = join(directory, 'config.yaml');
  const ports = { grpc: port ?? (await freePort()), http: await freePort() };
  // A collector's configuration is YAML, which takes JSON.
  await writeFile(config, JSON.stringify(configuration(ports, files, otlpHttp)));
  const child = await startCollectorProcess(owner, config, {});
  return new Collector(child, ports, files);
}

/** Starts a collector with a configuration file and returns when it is ready to receive. */
export async function startCollectorProcess(
  owner: Owner,
  config: string,
  environment: Readonly<Record<string, string>>,
): Promise<ChildProcess> {
  const child = spawn(await collectorBinary(), ['--config', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...environment },
  });
  owner.after(() => stopProcess(child));
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) {
    said.push(line);
    if (line.includes('Everything is ready')) {
      // Read on, or the collector would block once the pipe is full.
      child.stderr.resume();
      return child;
    }
  }
  throw new Error(`the collector did not start:\n${said.slice(-10).join('\n')}`);
}

/** Asks until there is an answer other than undefined. */
export async function eventually<T>(ask: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + PATIENCE_MILLIS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) {
      return answer;
    }
    if (performance.now() > end) {
      throw new Error(`what was waited for did not come about within ${PATIENCE_MILLIS} ms`);
    }
    await wait(20);
  }
}

/** A port that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) {
    throw new Error('the system gave no port');
  }
  return address.port;
}

function configuration(ports: Ports, files: Files, otlpHttp?: string): object {
  const protocols = {
    // Less than the usual 4 MiB, so that tests of many series meet it.
    grpc: { endpoint: `127.0.0.1:${ports.grpc}`, max_recv_msg_size_mib: 1 },
    http: { endpoint: `127.0.0.1:${ports.http}`, max_request_body_size: 2 ** 20 },
  };
  return {
    receivers: { otlp: { protocols } },
    exporters: {
      'file/metrics': { path: files.metrics, flush_interval: '20ms' },
      'file/logs': { path: files.logs, flush_interval: '20ms' },
      ...(otlpHttp !== undefined && { otlp_http: { endpoint: otlpHttp } }),
    },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: {
        metrics: { receivers: ['otlp'], exporters: ['file/metrics', ...(otlpHttp ? ['otlp_http'] : [])] },
        logs: { receivers: ['otlp'], exporters: ['file/logs'] },
      },
    },
  };
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const exit = once(child, 'exit');
    child.kill();
    await exit;
  }
}
