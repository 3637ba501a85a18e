// Whatever happens to the receiver and to the clock: what has arrived in the end is what was counted.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { callSite, SECOND, START, snapshot } from '../model/fixtures.ts';
import { startHttpReceiver } from '../support/otlp-receiver/http-receiver.ts';
import { type Receiver, type ReceiverOptions, startReceiver } from '../support/otlp-receiver/receiver.ts';
import type { ReceivedSummary } from '../support/otlp-receiver/summary.ts';
import { startExport, withEnvironment } from './pipeline.ts';

const INVALID_ARGUMENT = 3;
const UNAVAILABLE = 14;
const SITES = 40;
/** A request of all of them has some 40 kB. */
const SMALL = 12_000;

/** What the receiver does while an export is tried. */
const RECEIVER = ['takes', 'refuses', 'is busy', 'is restarted', 'is away'] as const;

interface Step {
  /** New lookups by site: of hits and of misses. */
  readonly lookups: readonly (readonly [site: number, hits: number, misses: number])[];
  /** Seconds by which the clock of the observation moves: it does not go back, whatever is done to the machine's. */
  readonly seconds: number;
  readonly receiver: (typeof RECEIVER)[number];
}

const STEPS: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    lookups: fc.array(fc.tuple(fc.nat(SITES - 1), fc.nat(50), fc.nat(50)), { maxLength: SITES }),
    seconds: fc.integer({ min: 1, max: 30 }),
    receiver: fc.constantFrom(...RECEIVER),
  }),
  { minLength: 1, maxLength: 6 },
);

/** An observation that counts what steps say. */
class Counting {
  readonly #counts = Array.from({ length: SITES }, () => [0, 0]);
  #time = START;

  count({ lookups, seconds }: Step): void {
    for (const [site, hits, misses] of lookups) {
      const counts = this.#counts[site] ?? [];
      counts[0] = (counts[0] ?? 0) + hits;
      counts[1] = (counts[1] ?? 0) + misses;
    }
    this.#time += BigInt(seconds) * SECOND;
  }

  get total(): number {
    return this.#counts.flat().reduce((sum, count) => sum + count, 0);
  }

  snapshot(): Snapshot {
    const sites = this.#counts.flatMap(([hits = 0, misses = 0], line) => {
      const place = { callSite: { function: 'main.f', file: '/src/f.go', line: line + 1 } };
      return [callSite(hits, { ...place, hit: true }), callSite(misses, { ...place, hit: false })];
    });
    return snapshot(
      sites.filter(({ lookups }) => lookups > 0),
      { time: this.#time },
    );
  }
}

/** A receiver that can be taken away and brought back at the same port; what it received is kept. */
class Restartable {
  readonly #start: (options: ReceiverOptions) => Promise<Receiver>;
  readonly #received: ReceivedSummary[] = [];
  #receiver: Receiver | undefined;
  #port = 0;
  does: Step['receiver'] = 'takes';

  constructor(start: (options: ReceiverOptions) => Promise<Receiver>) {
    this.#start = start;
  }

  async start(): Promise<void> {
    let requests = 0;
    this.#receiver ??= await this.#start({
      port: this.#port,
      mostBytes: SMALL,
      refuse: () => {
        // Only some requests of a collection are refused.
        const isRefused = requests++ % 2 === 0;
        switch (this.does) {
          case 'refuses':
            return isRefused ? { code: INVALID_ARGUMENT, details: 'no' } : undefined;
          case 'is busy':
            return isRefused ? { code: UNAVAILABLE, details: 'busy' } : undefined;
          default:
            return undefined;
        }
      },
    });
    this.#port = this.#receiver.port;
  }

  async stop(): Promise<void> {
    if (this.#receiver !== undefined) {
      this.#received.push(this.#receiver.summary());
      await this.#receiver.close();
      this.#receiver = undefined;
    }
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Deltas of all that was received, or the last of cumulative points. */
  total(name: string, temporality: string): number {
    const totals = this.#received.map(
      ({ metrics }) => metrics.find((metric) => metric.name === name)?.totalCount ?? 0,
    );
    return temporality === 'delta' ? totals.reduce((sum, total) => sum + total, 0) : (totals.at(-1) ?? 0);
  }
}

async function deliver(
  context: TestContext,
  receiver: Restartable,
  steps: readonly Step[],
): Promise<Counting> {
  const counting = new Counting();
  await receiver.start();
  const { otlp, shutdown } = startExport(context, {
    endpoint: receiver.endpoint,
    source: () => counting.snapshot(),
    retry: { initialDelayMillis: 5, maxDelayMillis: 20, timeoutMillis: 1500 },
  });
  for (const step of steps) {
    counting.count(step);
    receiver.does = step.receiver;
    if (step.receiver === 'is restarted' || step.receiver === 'is away') {
      await receiver.stop();
    }
    if (step.receiver !== 'is away') {
      await receiver.start();
    }
    // The export goes on for its whole time.
    await otlp.flush(300);
  }
  receiver.does = 'takes';
  await receiver.start();
  assert.equal((await shutdown(20_000)).problem, undefined);
  await receiver.stop();
  return counting;
}

for (const [protocol, start] of [
  ['grpc', startReceiver],
  ['http/protobuf', startHttpReceiver],
] as const) {
  for (const temporality of ['cumulative', 'delta']) {
    test(`${protocol}, ${temporality}: what arrives is what was counted`, {
      timeout: 300_000,
    }, async (context) => {
      withEnvironment(context, {
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
        OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: temporality,
      });
      await fc.assert(
        fc.asyncProperty(STEPS, async (steps) => {
          const receiver = new Restartable(start);
          const { total } = await deliver(context, receiver, steps).finally(() => receiver.stop());
          for (const name of ['gomap.lookups', 'gomap.lookup.probe_length', 'gomap.lookup.key_comparisons']) {
            assert.equal(receiver.total(name, temporality), total, name);
          }
        }),
        { numRuns: 8, endOnFailure: true },
      );
    });
  }
}
