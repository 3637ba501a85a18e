import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { freePort } from '../collector/collector.ts';
import { type Owner, Service } from '../support/service.ts';
import { programBinary } from './build.ts';

/*
 * Jaeger v2 releases have tags v2.x, but the module's path has no /v2, so that these are no versions of it. Up to 2025
 * the same commits were tagged v1.x as well: v1.76.0 is v2.13.0, and its cmd/jaeger is Jaeger v2 (see README.md).
 */
const JAEGER = { name: 'jaeger', package: 'github.com/jaegertracing/jaeger/cmd/jaeger' };

/** Path of Jaeger, a large Go program. The first call takes minutes. */
export function jaegerProgram(): Promise<string> {
  return programBinary(JAEGER);
}

/** More than any test sends; older traces would be forgotten. */
const MAX_TRACES = 500_000;

const spans = z.array(
  z.object({
    traceId: z.string(),
    spanId: z.string(),
    parentSpanId: z.string().default(''),
    name: z.string(),
    startTimeUnixNano: z.string().transform(BigInt),
    endTimeUnixNano: z.string().transform(BigInt),
  }),
);

const attributes = z.array(
  z.object({ key: z.string(), value: z.object({ stringValue: z.string().optional() }) }),
);

/** A trace as OTLP, in the answer of GET /api/v3/traces/ID. */
const traceResponse = z.object({
  result: z.object({
    resourceSpans: z.array(
      z.object({ resource: z.object({ attributes }), scopeSpans: z.array(z.object({ spans })) }),
    ),
  }),
});

/**
 * How much too early the end of a span may be, in nanoseconds: SDKs add the time that a monotonic clock measured to the start
 * of another clock, and a thread may lose its processor between the two readings.
 */
export const SPAN_END_SLACK = 50_000_000n;

/** A span as Jaeger has it. Identifiers are in hexadecimal; a root has no `parentSpanId`. */
export interface JaegerSpan extends z.infer<typeof spans.element> {
  readonly service: string;
}

/** A running Jaeger that keeps traces in memory. */
export class Jaeger {
  /** Where to send spans to, over gRPC; a value for OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string;
  /** Where its API is. The page there is a placeholder. */
  readonly url: string;
  readonly #service: Service;

  constructor(service: Service, endpoint: string, url: string) {
    this.#service = service;
    this.endpoint = endpoint;
    this.url = url;
  }

  /** The spans of a trace, undefined when Jaeger does not have it (yet). */
  async trace(id: string): Promise<JaegerSpan[] | undefined> {
    const response = await fetch(`${this.url}/api/v3/traces/${id}`);
    const text = await response.text();
    if (response.status === 404) {
      return undefined;
    }
    if (!response.ok) {
      throw new Error(`Jaeger answers ${response.status}: ${text}`);
    }
    return traceResponse.parse(JSON.parse(text)).result.resourceSpans.flatMap(({ resource, scopeSpans }) => {
      const name = resource.attributes.find(({ key }) => key === 'service.name');
      const service = name?.value.stringValue ?? '';
      return scopeSpans.flatMap((scope) => scope.spans.map((span) => ({ ...span, service })));
    });
  }

  /** Waits until Jaeger has a trace that satisfies a condition, without one: any spans of it. */
  async until(id: string, condition: (trace: JaegerSpan[]) => boolean = () => true): Promise<JaegerSpan[]> {
    return await this.#service.until(async () => {
      const trace = await this.trace(id);
      return trace !== undefined && condition(trace) ? trace : undefined;
    });
  }

  async stop(): Promise<void> {
    await this.#service.stop();
  }
}

/** Starts a Jaeger that lives as long as its owner. The first time this builds one, which takes minutes. */
export async function startJaeger(owner: Owner): Promise<Jaeger> {
  const binary = await jaegerProgram();
  const folder = await mkdtemp(join(tmpdir(), 'mapscope-jaeger-'));
  const ports = { otlp: await freePort(), api: await freePort(), grpcApi: await freePort() };
  const config = join(folder, 'config.yaml');
  await writeFile(config, JSON.stringify(configuration(ports))); // YAML takes JSON.
  const service = Service.start(owner, 'Jaeger', [binary, '--config', config]);
  owner.after(() => rm(folder, { recursive: true, force: true }));
  const url = `http://127.0.0.1:${ports.api}`;
  await service.until(() =>
    fetch(`${url}/api/v3/services`).then(
      ({ ok }) => ok || undefined,
      () => undefined,
    ),
  );
  return new Jaeger(service, `http://127.0.0.1:${ports.otlp}`, url);
}

/** All in one process, as Jaeger's built-in configuration has it, but with ports of our own and no others. */
function configuration(ports: { otlp: number; api: number; grpcApi: number }): object {
  return {
    extensions: {
      jaeger_storage: { backends: { memory: { memory: { max_traces: MAX_TRACES } } } },
      jaeger_query: {
        storage: { traces: 'memory' },
        enable_tracing: false, // Spans of its own, to port 4317.
        http: { endpoint: `127.0.0.1:${ports.api}` },
        grpc: { endpoint: `127.0.0.1:${ports.grpcApi}` },
      },
    },
    receivers: {
      otlp: { protocols: { grpc: { endpoint: `127.0.0.1:${ports.otlp}`, max_recv_msg_size_mib: 16 } } },
    },
    exporters: { jaeger_storage_exporter: { trace_storage: 'memory' } },
    service: {
      extensions: ['jaeger_storage', 'jaeger_query'],
      pipelines: { traces: { receivers: ['otlp'], exporters: ['jaeger_storage_exporter'] } },
      telemetry: { metrics: { level: 'none' }, logs: { level: 'warn' } },
    },
  };
}
