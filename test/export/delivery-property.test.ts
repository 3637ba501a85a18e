// Whatever happens to the receiver and to the clocks: what has arrived in the end is what was counted.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { EpochClock } from '../../src/kernel/epoch-clock.ts';
import type { Distribution } from '../../src/model/distribution.ts';
import { OTHERS, OTHERS_NAME } from '../../src/model/position.ts';
import type { CallSiteStats, Snapshot } from '../../src/model/snapshot.ts';
import { callSite, SECOND, START, snapshot } from '../model/fixtures.ts';
import { startHttpReceiver } from '../support/otlp-receiver/http-receiver.ts';
import type { ExportRequestMessage } from '../support/otlp-receiver/messages.ts';
import { startReceiver } from '../support/otlp-receiver/receiver.ts';
import { startExport, withEnvironment } from './pipeline.ts';
import { BEHAVIOURS, type Behaviour, RestartableReceiver } from './restartable-receiver.ts';

const SITES = 40;
const ALL_SITES = Array.from({ length: SITES }, (_, site) => site);
const DAY = 86_400;
const COUNTED = ['gomap.lookups', 'gomap.lookup.probe_length', 'gomap.lookup.key_comparisons'];

/** Milliseconds for what ends by itself, and for what is not waited for. */
const PATIENCE = 60_000;
const GLANCE = 300;

interface Step {
  /** New lookups by site: of hits and of misses. */
  readonly lookups: readonly (readonly [site: number, hits: number, misses: number])[];
  /** Sites that are kept apart from now on; the others are counted together. Default: all. */
  readonly kept?: readonly number[];
  /** Seconds that pass; the machine may have slept meanwhile. */
  readonly seconds: number;
  /** Seconds by which somebody sets the time of day then, forward or back. */
  readonly setBy: number;
  readonly receiver: Behaviour;
}

const STEPS: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    lookups: fc.array(fc.tuple(fc.nat(SITES - 1), fc.nat(50), fc.nat(50)), { maxLength: SITES }),
    kept: fc.subarray(ALL_SITES, { minLength: SITES / 2 }),
    seconds: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 3600, max: DAY })),
    setBy: fc.oneof(fc.constant(0), fc.integer({ min: -DAY, max: DAY }), fc.integer({ min: -2, max: 2 })),
    receiver: fc.constantFrom(...BEHAVIOURS),
  }),
  { minLength: 1, maxLength: 6 },
);

/** A step in which ten lookups are counted. */
const step = (receiver: Behaviour, setBy = 0): Step => ({
  lookups: [[0, 6, 4]],
  seconds: 10,
  setBy,
  receiver,
});

/** The clocks of a machine: the kernel's, which goes on also while it sleeps, and the time of day, which is set as anybody likes. */
class Machine {
  #boot = 1000n * SECOND;
  #epoch = START;

  pass({ seconds, setBy }: Step): void {
    this.#boot += BigInt(seconds) * SECOND;
    this.#epoch += BigInt(seconds + setBy) * SECOND;
  }

  /** How far the time of day has gone from where it was, in milliseconds. */
  get gone(): number {
    return Number((this.#epoch - START) / 1_000_000n);
  }

  bootNow(): bigint {
    return this.#boot;
  }

  bootToEpoch(): bigint {
    return this.#epoch - this.#boot;
  }
}

/** The time of day of this process, for all that asks for it, goes by a machine's until the test has ended. */
function withTimeOf(context: TestContext, machine: () => Machine): void {
  const real = Date;
  const now = () => real.now() + machine().gone;
  globalThis.Date = new Proxy(real, {
    construct: (target, args) => (args.length === 0 ? new target(now()) : Reflect.construct(target, args)),
    get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
  });
  context.after(() => {
    globalThis.Date = real;
  });
}

/** What a site has counted: of hits and of misses. */
type Counts = readonly [hits: number, misses: number];

const NOTHING: Counts = [0, 0];

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
  readonly since?: bigint;
  readonly before: Counts;
}

/** An observation that counts what steps say, and keeps the sites apart that they say. */
class Counting {
  readonly #counts = ALL_SITES.map(() => NOTHING);
  readonly #kept = new Map<number, Kept>();
  #hasKept = false;
  readonly #clock: EpochClock;
  readonly #start: bigint;
  /** Of all snapshots, and the start, as a receiver reads them. */
  readonly times = new Set<number>();

  constructor(machine: Machine) {
    this.#clock = new EpochClock(machine);
    this.#start = this.#now();
  }

  count({ lookups, kept = ALL_SITES }: Step): void {
    for (const [site, hits, misses] of lookups) {
      const [hitsBefore, missesBefore] = this.#counts[site] ?? NOTHING;
      this.#counts[site] = [hitsBefore + hits, missesBefore + misses];
    }
    for (const site of this.#kept.keys()) {
      if (!kept.includes(site)) {
        this.#kept.delete(site);
      }
    }
    for (const site of kept.filter((one) => !this.#kept.has(one))) {
      const late = { since: this.#now(), before: this.#counts[site] ?? NOTHING };
      this.#kept.set(site, this.#hasKept ? late : { before: NOTHING });
    }
    this.#hasKept = true;
  }

  get total(): number {
    return this.#counts.flat().reduce((sum, count) => sum + count, 0);
  }

  snapshot(): Snapshot {
    const callSites = [...this.#kept].flatMap(([site, { since, before }]) =>
      [true, false].map((hit) => {
        const count = this.#count(site, hit) - (before[Number(!hit)] ?? 0);
        const place = { function: 'main.f', file: '/src/f.go', line: site + 1 };
        return alike(count, { callSite: place, hit, ...(since !== undefined && { since }) });
      }),
    );
    const others = [true, false].map((hit) => {
      const all = ALL_SITES.reduce((sum, site) => sum + this.#count(site, hit), 0);
      const own = callSites.reduce((sum, one) => sum + (one.hit === hit ? one.lookups : 0), 0);
      return alike(all - own, { callSite: OTHERS, type: OTHERS_NAME, hit });
    });
    const counted = (sites: CallSiteStats[]) => sites.filter(({ lookups }) => lookups > 0);
    return snapshot(counted(callSites), {
      startTime: this.#start,
      time: this.#now(),
      others: counted(others),
    });
  }

  #count(site: number, hit: boolean): number {
    return (this.#counts[site] ?? NOTHING)[Number(!hit)] ?? 0;
  }

  /** Every time of every point is one at which the observation was read: all of them come from the one anchor. */
  readonly check = ({ resourceMetrics }: ExportRequestMessage): void => {
    const metrics = resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((one) => one.metrics));
    for (const { name, sum, gauge, histogram, exponentialHistogram } of metrics) {
      for (const data of [sum, gauge, histogram, exponentialHistogram]) {
        for (const { startTimeUnixNano: start, timeUnixNano: time } of data?.dataPoints ?? []) {
          this.strangeTimes.push(
            ...[start, time].filter((one) => !this.times.has(one)).map((one) => `${name}: ${one}`),
          );
        }
      }
    }
  };
  readonly strangeTimes: string[] = [];

  #now(): bigint {
    const now = this.#clock.now();
    this.times.add(Number(now));
    return now;
  }
}

interface Delivered {
  readonly counting: Counting;
  /** Data points of which the export says that it does not know. */
  readonly uncertain: number;
  readonly problem: string | undefined;
  readonly said: readonly string[];
}

async function deliver(
  context: TestContext,
  receiver: RestartableReceiver,
  machine: Machine,
  steps: readonly Step[],
): Promise<Delivered> {
  const counting = new Counting(machine);
  receiver.look = counting.check;
  await receiver.start();
  const { otlp, said, shutdown } = startExport(context, {
    endpoint: receiver.endpoint,
    source: () => counting.snapshot(),
    retry: { initialDelayMillis: 5, maxDelayMillis: 20, timeoutMillis: PATIENCE },
  });
  let isUnderWay = false;
  for (const one of steps) {
    machine.pass(one);
    counting.count(one);
    receiver.does = one.receiver;
    if (one.receiver === 'is restarted' || one.receiver === 'is away') {
      await receiver.stop();
    }
    if (one.receiver !== 'is away') {
      await receiver.start();
    }
    // An export that reaches nobody, or hears nothing, goes on for its whole time.
    isUnderWay = one.receiver === 'takes, and never answers';
    await otlp.flush(isUnderWay || one.receiver === 'is away' ? GLANCE : PATIENCE);
  }
  receiver.does = 'takes';
  await receiver.start();
  // A part of this is what an answer is still waited for.
  const { problem } = await shutdown(PATIENCE / (isUnderWay ? 4 : 1));
  await receiver.stop();
  return { counting, uncertain: otlp.totals.uncertain, problem, said: said.map(({ sentence }) => sentence) };
}

for (const [protocol, start] of [
  ['grpc', startReceiver],
  ['http/protobuf', startHttpReceiver],
] as const) {
  for (const temporality of ['cumulative', 'delta']) {
    const delivered = async (context: TestContext, steps: readonly Step[], of = new Machine()) => {
      withEnvironment(context, {
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
        OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: temporality,
      });
      const receiver = new RestartableReceiver(start, temporality);
      const result = await deliver(context, receiver, of, steps).finally(() => receiver.stop());
      for (const name of COUNTED) {
        const lost = temporality === 'delta' ? receiver.lost(name) : 0;
        assert.equal(receiver.total(name) + lost, result.counting.total, name);
      }
      assert.deepEqual(result.counting.strangeTimes, []);
      assert.equal(
        result.uncertain > 0,
        receiver.unanswered > 0,
        'what is not known is said, and nothing else',
      );
      if (result.uncertain === 0) {
        assert.equal(result.problem, undefined);
      } else {
        assert.match(result.problem ?? '', /Whether \d+ data points have arrived is not known/);
      }
      return result;
    };

    test(`${protocol}, ${temporality}: what arrives is what was counted`, {
      timeout: 600_000,
    }, async (context) => {
      let machine = new Machine();
      withTimeOf(context, () => machine);
      await fc.assert(
        fc.asyncProperty(STEPS, async (steps) => {
          machine = new Machine();
          await delivered(context, steps, machine);
        }),
        { numRuns: 8, endOnFailure: true },
      );
    });

    for (const behaviour of [
      'takes, and dies before it answers',
      'dies before it takes',
      'takes, and never answers',
    ] as const) {
      test(`${protocol}, ${temporality}: a receiver ${behaviour}`, { timeout: 120_000 }, async (context) => {
        const { uncertain, said } = await delivered(context, [
          step('takes'),
          step(behaviour),
          // The end comes while the answer is still waited for.
          ...(behaviour === 'takes, and never answers' ? [] : [step('takes')]),
        ]);
        assert.equal(uncertain > 0, temporality === 'delta');
        if (uncertain > 0 && behaviour !== 'takes, and never answers') {
          assert.match(
            said[0] ?? '',
            /^Metrics do not reach .*Whether \d+ data points have arrived is not known/,
          );
        }
      });
    }

    test(`${protocol}, ${temporality}: the time of day is set back and forth`, {
      timeout: 120_000,
    }, async (context) => {
      const machine = new Machine();
      withTimeOf(context, () => machine);
      const sets = [-DAY, 1, 2 * DAY, -1, -3 * DAY];
      await delivered(
        context,
        sets.map((setBy) => step('takes', setBy)),
        machine,
      );
    });
  }
}
