import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import { buildGo } from './go-toolchains.ts';
import { type Owner, Service } from './service.ts';

const SHOP = fileURLToPath(new URL('../services/shop', import.meta.url));

const nanoseconds = z.string().transform(BigInt);

const piece = z.strictObject({
  goroutine: z.number(),
  traceId: z.string(),
  spanId: z.string(),
  sampled: z.boolean(),
  endpoint: z.string(),
  step: z.string(),
  function: z.string(),
  file: z.string(),
  line: z.number(),
  lookups: z.number(),
  start: nanoseconds,
  end: nanoseconds,
});

/** Lookups that one goroutine made in one go, in one span, at one source line. Identifiers are empty outside of spans. */
export type TruthPiece = z.infer<typeof piece>;

export interface ShopOptions {
  /** The Go release to build it with, 1.23 or newer. */
  readonly version?: string;
  /** How the service knows about traces; the SDK is the default. */
  readonly tracing?: 'sdk' | 'labels' | 'none';
  /** Share of the traces begun in the service that are sampled. */
  readonly sample?: number;
  /** Where spans go to. */
  readonly endpoint?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The running shop: a Go service that knows the truth about its lookups (test/services/shop). */
export class Shop {
  readonly path: string;
  readonly http: string;
  readonly grpc: string;
  readonly #service: Service;
  readonly #truth: string;

  constructor(path: string, service: Service, { http, grpc }: { http: string; grpc: string }, truth: string) {
    this.path = path;
    this.#service = service;
    this.http = http;
    this.grpc = grpc;
    this.#truth = truth;
  }

  get pid(): number {
    return this.#service.pid;
  }

  /** Ends the service; when this returns, all spans have been delivered. Returns the truth about all its lookups. */
  async stop(): Promise<TruthPiece[]> {
    const status = await this.#service.stop();
    if (status !== 0) {
      throw new Error(`the shop ended with status ${status}: ${this.#service.output}`);
    }
    const lines = (await readFile(this.#truth, 'utf8')).trimEnd().split('\n');
    return lines.map((line) => piece.parse(JSON.parse(line)));
  }
}

/** Starts the shop for as long as its owner lives, and returns when it serves. */
export async function startShop(owner: Owner, options: ShopOptions = {}): Promise<Shop> {
  const path = await buildGo({ dir: SHOP, version: options.version ?? 'local' });
  const folder = await mkdtemp(join(tmpdir(), 'mapscope-shop-'));
  const truth = join(folder, 'truth.jsonl');
  const args = ['-tracing', options.tracing ?? 'sdk', '-sample', `${options.sample ?? 1}`, '-truth', truth];
  const service = Service.start(owner, 'the shop', [path, ...args], {
    OTEL_EXPORTER_OTLP_ENDPOINT: options.endpoint ?? '',
    ...options.env,
  });
  owner.after(() => rm(folder, { recursive: true, force: true }));
  const addresses = await service.until(() => {
    const [, http, grpc] = /^ready http=(\S+) grpc=(\S+)\n/m.exec(service.output) ?? [];
    return http !== undefined && grpc !== undefined ? { http, grpc } : undefined;
  });
  return new Shop(path, service, addresses, truth);
}

const latencyMillis = z.object({ p50: z.number(), p99: z.number(), 'p99.9': z.number(), max: z.number() });
const counts = { requests: z.number(), errors: z.number(), latencyMillis };
const loadReport = z.strictObject({
  ...counts,
  missed: z.number(),
  seconds: z.number(),
  endpoints: z.record(z.string(), z.strictObject(counts)),
});

/** What came of a load. Endpoints have names such as `http/1.1 /catalog`, `h2c /catalog` and `grpc Shop/Price`. */
export type LoadReport = z.infer<typeof loadReport>;

export interface LoadOptions {
  /** Requests per second. */
  readonly rate?: number;
  readonly seconds?: number;
  /** Number of requests, evenly in the given time; instead of a rate. */
  readonly count?: number;
  /** Share of the traces that are sampled. */
  readonly sample?: number;
  /** How requests name a trace: a header of their own (the default), by an instrumented client, or not at all. */
  readonly client?: 'header' | 'sdk' | 'none';
  /** Where an instrumented client's spans go to. */
  readonly endpoint?: string;
  /** Requests under way at the same time, at most. */
  readonly concurrently?: number;
}

/** Makes requests to all endpoints of the shop in turn, over all protocols. */
export async function runLoad(
  shop: Pick<Shop, 'http' | 'grpc'>,
  options: LoadOptions = {},
): Promise<LoadReport> {
  const load = await buildGo({ dir: SHOP, package: './cmd/load', version: 'local' });
  const flags = {
    http: shop.http,
    grpc: shop.grpc,
    rate: options.rate ?? 200,
    duration: `${options.seconds ?? 5}s`,
    count: options.count ?? 0,
    sample: options.sample ?? 1,
    client: options.client ?? 'header',
    concurrently: options.concurrently ?? 32,
  };
  const args = Object.entries(flags).map(([name, value]) => `-${name}=${value}`);
  const env = { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: options.endpoint ?? '' };
  const { stdout } = await promisify(execFile)(load, args, { env });
  return loadReport.parse(JSON.parse(stdout));
}
