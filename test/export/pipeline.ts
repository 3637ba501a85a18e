import type { TestContext } from 'node:test';
import type { LogLevel } from '../../src/base/log.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { OtlpExport, type OtlpExportOptions } from '../../src/otel/metrics/export.ts';
import { targetResource } from '../../src/otel/resource/resource.ts';
import type { Endpoint, Signal } from '../../src/otel/settings/endpoint.ts';
import type { LogsSettings } from '../../src/otel/settings/logs-settings.ts';
import { callSite, SECOND, START, snapshot, TARGET } from '../model/fixtures.ts';

/** Variables that a test has set. */
const variablesOf = new WeakMap<TestContext, Set<string>>();

/** Sets environment variables for the rest of a test, also one after the other. */
export function withEnvironment(context: TestContext, variables: Readonly<Record<string, string>>): void {
  const names = variablesOf.get(context) ?? new Set();
  variablesOf.set(context, names);
  for (const [name, value] of Object.entries(variables)) {
    const before = process.env[name];
    process.env[name] = value;
    // Once only: the hooks run in the order in which they were added.
    if (!names.has(name)) {
      names.add(name);
      context.after(() => {
        if (before === undefined) {
          delete process.env[name];
        } else {
          process.env[name] = before;
        }
      });
    }
  }
}

/** Where to send a signal over gRPC. */
export function grpcEndpoint(url: string, signal: Signal = 'metrics'): Endpoint {
  return { signal, protocol: 'grpc', shown: url, url };
}

/** Settings for log records, all but where to. */
export const LOGS: Omit<LogsSettings, 'endpoint'> = {
  delayMillis: 10,
  timeoutMillis: 30_000,
  mostWaiting: 2048,
  perRequest: 512,
  limits: { attributeCountLimit: 128, attributeValueLengthLimit: Number.POSITIVE_INFINITY },
};

/** Calls with these variables and no other of OpenTelemetry's in the environment. */
export function inEnvironment<T>(variables: Readonly<Record<string, string>>, call: () => T): T {
  const before = process.env;
  const others = Object.entries(before).filter(([name]) => !name.startsWith('OTEL_'));
  process.env = { ...Object.fromEntries(others), ...variables };
  try {
    return call();
  } finally {
    process.env = before;
  }
}

/** An observation that sees `step` more hits, and one more miss, each time it is read. */
export function growingObservation(step = 10): () => Snapshot {
  let reads = 0;
  return () => {
    reads++;
    return snapshot([callSite(step * reads), callSite(reads, { hit: false })], {
      time: START + BigInt(reads) * SECOND,
      seconds: reads,
      attachedSeconds: reads,
    });
  };
}

/** The real export pipeline, with what it says. It is shut down after the test. */
export function startExport(context: TestContext, options: Partial<OtlpExportOptions> = {}) {
  const said: { level: LogLevel; sentence: string }[] = [];
  const otlp = OtlpExport.create({
    source: growingObservation(),
    mapImplementation: 'swiss',
    resource: targetResource(TARGET, { environment: {} }),
    log: (level, sentence) => said.push({ level, sentence }),
    intervalMillis: 3_600_000,
    ...options,
  });
  if (otlp === undefined) {
    throw new Error('no endpoint is configured');
  }
  let ended = false;
  context.after(() => (ended ? undefined : otlp.shutdown(100)));
  return {
    said,
    otlp,
    shutdown: (timeoutMillis?: number) => {
      ended = true;
      return otlp.shutdown(timeoutMillis);
    },
  };
}
