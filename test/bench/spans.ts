import { startReceiver } from '../support/otlp-receiver/receiver.ts';
import { runLoad, startShop } from '../support/shop.ts';
import type { Measured, Part, Run } from './part.ts';
import { cpuTime, Sidecar } from './processes.ts';
import { median, spread } from './statistics.ts';

/** Requests per second. */
const RATE = 2000;

const ALL = 'labels,sdk,http,grpc';

/**
 * Every request and what it hands over to others has spans. A lookup outside of windows costs nothing in any way; with a
 * budget that is never used up, spans are followed all the time.
 */
const WAYS = {
  'not followed': ['--trace-sources', 'labels'],
  'followed within 1 %': ['--trace-sources', ALL],
  'not followed, budget 50 %': ['--trace-sources', 'labels', '--budget', '50%'],
  'always followed': ['--trace-sources', ALL, '--budget', '50%'],
} as const;

type Way = keyof typeof WAYS | 'without mapscope';

interface Turn {
  /** Of the service, in seconds. */
  readonly cpuPerRequest: number;
  readonly p99: number;
  readonly errors: number;
}

/** What following the spans of a service with OpenTelemetry's SDK costs it per request. */
export const spans: Part = {
  name: 'spans',
  title: `The shop with OpenTelemetry's SDK at ${RATE} requests/s`,
  measure: async (run: Run): Promise<Measured> => {
    const shop = await startShop(run);
    const receiver = await startReceiver();
    run.after(() => receiver.close());
    const seconds = run.quick ? 3 : 8;
    const ways = ['without mapscope', ...Object.keys(WAYS)] as readonly Way[];
    await runLoad(shop, { rate: RATE, seconds: 1 });
    const turns: Record<Way, Turn>[] = [];
    for (let round = 0; round < (run.quick ? 2 : 6); round++) {
      const results: Partial<Record<Way, Turn>> = {};
      for (const way of round % 2 === 0 ? ways : [...ways].reverse()) {
        const observed =
          way === 'without mapscope' ? undefined : await attach(run, shop.pid, receiver.endpoint, way);
        const cpu = cpuTime(shop.pid);
        const load = await runLoad(shop, { rate: RATE, seconds });
        const cpuPerRequest = (cpuTime(shop.pid) - cpu) / load.requests;
        results[way] = { cpuPerRequest, p99: load.latencyMillis.p99, errors: load.errors };
        await observed?.stop();
      }
      turns.push(results as Record<Way, Turn>);
    }
    return evaluated(turns, ways);
  },
};

function attach(run: Run, pid: number, endpoint: string, way: keyof typeof WAYS): Promise<Sidecar> {
  const args = ['--pid', String(pid), '--otlp-endpoint', endpoint, ...WAYS[way]];
  return Sidecar.attach(run, args, 1);
}

function evaluated(turns: readonly Record<Way, Turn>[], ways: readonly Way[]): Measured {
  const micros = (way: Way) => 1e6 * median(turns.map((turn) => turn[way].cpuPerRequest));
  const added = (followed: Way, not: Way) =>
    turns.map((turn) => 1e6 * (turn[followed].cpuPerRequest - turn[not].cpuPerRequest));
  const always = added('always followed', 'not followed, budget 50 %');
  const within = added('followed within 1 %', 'not followed');
  const rise = turns.map(
    (turn) => turn['always followed'].cpuPerRequest / turn['not followed, budget 50 %'].cpuPerRequest - 1,
  );
  const errors = turns.reduce((sum, turn) => sum + ways.reduce((all, way) => all + turn[way].errors, 0), 0);
  return {
    figures: {
      span_micros_per_request: median(always),
      span_cpu_rise: median(rise),
      span_micros_per_request_in_budget: median(within),
    },
    details: turns,
    report: {
      head: ['', 'CPU µs per request', 'p99 ms'],
      rows: ways.map((way) => [
        way,
        micros(way).toFixed(1),
        median(turns.map((turn) => turn[way].p99)).toFixed(2),
      ]),
      remarks: [
        `Following all spans costs the service ${median(always).toFixed(1)} µs of processor time per request (${spread(rise)}); within the default budget, ${median(within).toFixed(1)} µs on average.`,
        ...(errors > 0 ? [`${errors} requests failed.`] : []),
      ],
    },
  };
}
