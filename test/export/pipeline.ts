import type { TestContext } from 'node:test';
import type { LogLevel } from '../../src/export/delivery.ts';
import { OtlpExport, type OtlpExportOptions } from '../../src/export/otlp.ts';
import { targetResource } from '../../src/export/resource.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
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
