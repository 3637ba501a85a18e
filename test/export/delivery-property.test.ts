// Whatever happens to the receiver and to the clock: what has arrived in the end is what was counted.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { Distribution } from '../../src/model/distribution.ts';
import { OTHERS, OTHERS_NAME } from '../../src/model/position.ts';
import type { CallSiteStats, Snapshot } from '../../src/model/snapshot.ts';
import { callSite, SECOND, START, snapshot } from '../model/fixtures.ts';
import { startHttpReceiver } from '../support/otlp-receiver/http-receiver.ts';
import { type Receiver, type ReceiverOptions, startReceiver } from '../support/otlp-receiver/receiver.ts';
import { type ReceivedSummary, ReceiverSummary } from '../support/otlp-receiver/summary.ts';
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
  /** Sites that are kept apart from now on; the others are counted together. */
  readonly kept: readonly number[];
  /** Seconds by which the clock of the observation moves: it does not go back, whatever is done to the machine's. */
  readonly seconds: number;
  readonly receiver: (typeof RECEIVER)[number];
}

const STEPS: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    lookups: fc.array(fc.tuple(fc.nat(SITES - 1), fc.nat(50), fc.nat(50)), { maxLength: SITES }),
    kept: fc.subarray(
      Array.from({ length: SITES }, (_, site) => site),
      { minLength: SITES / 2 },
    ),
    seconds: fc.integer({ min: 1, max: 30 }),
    receiver: fc.constantFrom(...RECEIVER),
  }),
  { minLength: 1, maxLength: 6 },
);

/** What a site has counted: of hits and of misses. */
type Counts = readonly [hits: number, misses: number];

/** A site of so many lookups that are all alike, so that the numbers of several add up. */
function alike(lookups: number, overrides: Partial<CallSiteStats>): CallSiteStats {
  const one = callSite(1);
  const times = ({ bounds, counts, sum, max }: Distribution): Distribution => ({
    bounds,
    counts: counts.map((count) => lookups * count),
    sum: lookups * sum,
    max,
  });
  return {
    ...one,
    lookups,
    estimatedLookups: 2 * lookups,
    probeLength: times(one.probeLength),
    keyComparisons: times(one.keyComparisons),
    homePosition: times(one.homePosition),
    loadFactor: times(one.loadFactor),
    ...overrides,
  };
}

/** A site that is kept apart: since when, and what had been counted then. */
interface Kept {
  readonly since: bigint | undefined;
  readonly before: Counts;
}

/** An observation that counts what steps say, and keeps the sites apart that they say. */
class Counting {
  readonly #counts = Array.from({ length: SITES }, (): Counts => [0, 0]);
  readonly #kept = new Map<number, Kept>();
  #time = START;

  count({ lookups, kept, seconds }: Step): void {
    for (const [site, hits, misses] of lookups) {
      const [hitsBefore = 0, missesBefore = 0] = this.#counts[site] ?? [];
      this.#counts[site] = [hitsBefore + hits, missesBefore + misses];
    }
    this.#time += BigInt(seconds) * SECOND;
    for (const site of this.#kept.keys()) {
      if (!kept.includes(site)) {
        this.#kept.delete(site);
      }
    }
    for (const site of kept) {
      const counts = this.#counts[site] ?? [0, 0];
      const isNew = this.#time === START + BigInt(seconds) * SECOND;
      const late = { since: this.#time, before: counts };
      this.#kept.set(site, this.#kept.get(site) ?? (isNew ? { since: undefined, before: [0, 0] } : late));
    }
  }

  get total(): number {
    return this.#counts.flat().reduce((sum, count) => sum + count, 0);
  }

  snapshot(): Snapshot {
    const callSites = [...this.#kept].flatMap(([site, { since, before }]) =>
      [true, false].map((hit) => {
        const count = this.#count(site, hit) - (before[Number(!hit)] ?? 0);
        const callSiteOf = { function: 'main.f', file: '/src/f.go', line: site + 1 };
        return alike(count, { callSite: callSiteOf, hit, ...(since !== undefined && { since }) });
      }),
    );
    const others = [true, false].map((hit) => {
      const all = this.#counts.reduce((sum, _, site) => sum + this.#count(site, hit), 0);
      const own = callSites.reduce((sum, one) => sum + (one.hit === hit ? one.lookups : 0), 0);
      return alike(all - own, { callSite: OTHERS, type: OTHERS_NAME, hit });
    });
    const counted = (sites: CallSiteStats[]) => sites.filter(({ lookups }) => lookups > 0);
    return snapshot(counted(callSites), { time: this.#time, others: counted(others) });
  }

  #count(site: number, hit: boolean): number {
    return this.#counts[site]?.[Number(!hit)] ?? 0;
  }
}

/** A receiver that can be taken away and brought back at the same port; what it received is kept. */
class Restartable {
  readonly #start: (options: ReceiverOptions) => Promise<Receiver>;
  readonly #received: ReceivedSummary[] = [];
  /** Of all together: the latest state of each series, of which some have ended. */
  readonly #latest = new ReceiverSummary();
  readonly #isDelta: boolean;
  #receiver: Receiver | undefined;
  #port = 0;
  does: Step['receiver'] = 'takes';

  constructor(start: (options: ReceiverOptions) => Promise<Receiver>, isDelta: boolean) {
    this.#start = start;
    this.#isDelta = isDelta;
  }

  async start(): Promise<void> {
    let requests = 0;
    this.#receiver ??= await this.#start({
      port: this.#port,
      summary: this.#isDelta ? new ReceiverSummary() : this.#latest,
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
      // What it takes from now on it does not answer any more.
      this.#received.push(this.#receiver.summary());
      await this.#receiver.close();
      this.#receiver = undefined;
    }
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Deltas of all that was received, or the last of cumulative points. */
  total(name: string): number {
    return (this.#isDelta ? this.#received : [this.#latest.summary()])
      .map(({ metrics }) => metrics.find((metric) => metric.name === name)?.totalCount ?? 0)
      .reduce((sum, total) => sum + total, 0);
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
    retry: { initialDelayMillis: 5, maxDelayMillis: 20, timeoutMillis: 20_000 },
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
          const receiver = new Restartable(start, temporality === 'delta');
          const { total } = await deliver(context, receiver, steps).finally(() => receiver.stop());
          for (const name of ['gomap.lookups', 'gomap.lookup.probe_length', 'gomap.lookup.key_comparisons']) {
            assert.equal(receiver.total(name), total, name);
          }
        }),
        { numRuns: 8, endOnFailure: true },
      );
    });
  }
}
