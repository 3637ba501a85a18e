import { availableParallelism } from 'node:os';
import type { Measured, Part, Run } from './part.ts';
import { cpuTime, Sidecar } from './processes.ts';
import { median, percent, spread } from './statistics.ts';
import { type WebLoad, WebService } from './webservice.ts';

/** Of the service's processor time. */
const DEFAULT_BUDGET = 0.01;

/** One service under a load as fast as it can, and under an even one, with its processor time for a request of each. */
interface Turn {
  readonly fast: WebLoad;
  readonly even: WebLoad;
  readonly cpuFast: number;
  readonly cpuEven: number;
}

interface Alone {
  readonly cpus: number;
  /** Lookups decoded per second. */
  readonly samples: number;
}

/** Two services at the same time, of which mapscope observes one. */
interface Pair {
  readonly without: Turn;
  readonly with: Turn;
  readonly lookups: number;
  readonly seconds: number;
  /** Of a processor. */
  readonly sidecarShare: number;
}

/**
 * Throughput and latency of an HTTP service with and without mapscope at its default budget.
 *
 * How fast the machine is may change by a third from one second to the next, so runs one after the other cannot tell a percent. Two
 * equal services run at the same time, and mapscope observes them in turns.
 */
export const service: Part = {
  name: 'service',
  title: 'Two equal HTTP services at the same time, of which mapscope observes one',
  measure: async (run: Run): Promise<Measured> => {
    const web = [await WebService.start(run), await WebService.start(run)] as const;
    const seconds = run.quick ? 4 : 10;
    await WebService.load(web, 1, 0);
    const loads = await WebService.load(web, 2, 0);
    // A request costs far more when threads sleep between two.
    const rate = Math.round(Math.min(...loads.map(({ requests }) => requests)) / 2 / 4);
    const pairs: Pair[] = [];
    for (let i = 0; i < (run.quick ? 6 : 20); i++) {
      const [first, second] = web;
      pairs.push(await pair(run, i % 2 === 0 ? [first, second] : [second, first], seconds, rate));
    }
    const alone: Alone[] = [];
    for (let i = 0; i < (run.quick ? 3 : 9); i++) alone.push(await observeAlone(run, web[0], seconds));
    return evaluated(pairs, rate, alone);
  },
};

/** One service has the machine for itself, with its load: what is seen of it, and the processors that it keeps busy. */
async function observeAlone(run: Run, web: WebService, seconds: number): Promise<Alone> {
  const sidecar = await Sidecar.attach(run, ['--pid', String(web.pid)], 1);
  const [cpu, start] = [cpuTime(web.pid), performance.now()];
  await WebService.load([web], seconds, 0);
  const cpus = (1000 * (cpuTime(web.pid) - cpu)) / (performance.now() - start);
  const [summary] = await sidecar.stop();
  if (summary === undefined) throw new Error('mapscope gave no report');
  return { cpus, samples: summary.observed.lookups / summary.observed.seconds };
}

async function pair(
  run: Run,
  [observed, other]: readonly [WebService, WebService],
  seconds: number,
  rate: number,
): Promise<Pair> {
  const sidecar = await Sidecar.attach(run, ['--pid', String(observed.pid)], 1);
  // What it needs to start is not what it needs to run.
  await WebService.load([observed, other], 1, 0);
  const [cpu, start] = [cpuTime(sidecar.pid), performance.now()];
  const [withIt, without] = await turns([observed, other], seconds, rate);
  const sidecarShare = (1000 * (cpuTime(sidecar.pid) - cpu)) / (performance.now() - start);
  const [summary] = await sidecar.stop();
  if (summary === undefined || withIt === undefined || without === undefined)
    throw new Error('mapscope gave no report');
  const { lookups, seconds: observedSeconds } = summary.observed;
  return { without, with: withIt, lookups, seconds: observedSeconds, sidecarShare };
}

async function turns(web: readonly WebService[], seconds: number, rate: number): Promise<Turn[]> {
  const used = () => web.map(({ pid }) => cpuTime(pid));
  const start = used();
  const fast = await WebService.load(web, seconds, 0);
  const half = used();
  const even = await WebService.load(web, seconds, rate);
  const end = used();
  const of = (values: readonly number[], i: number) => values[i] ?? Number.NaN;
  return fast.flatMap((load, i) => {
    const after = even[i];
    if (after === undefined) return [];
    const cpuFast = (of(half, i) - of(start, i)) / load.requests;
    return { fast: load, even: after, cpuFast, cpuEven: (of(end, i) - of(half, i)) / after.requests };
  });
}

function evaluated(pairs: readonly Pair[], rate: number, alone: readonly Alone[]): Measured {
  const perSecond = ({ fast }: Turn) => fast.requests / fast.seconds;
  const rise = (of: (turn: Turn) => number) => pairs.map((p) => of(p.with) / of(p.without) - 1);
  const sidecar = median(pairs.map((p) => p.sidecarShare));
  // mapscope's own processor time is missed by both services alike, where there is none to spare.
  const displaced = sidecar / availableParallelism();
  const samples = median(pairs.map((p) => p.lookups / p.seconds));
  const [p50, p99, p999] = (['p50', 'p99', 'p999'] as const).map((which) => rise(({ even }) => even[which]));
  const cpu = rise((turn) => turn.cpuFast);
  const cores = median(pairs.map((p) => p.with.cpuFast * perSecond(p.with)));
  // What the service pays is too little to be measured here: what it may pay at most.
  const spent = sidecar + DEFAULT_BUDGET * cores;
  const of = (which: 'with' | 'without', value: (turn: Turn) => number) =>
    median(pairs.map((p) => value(p[which]))).toFixed(0);
  const row = (name: string, value: (turn: Turn) => number) => [
    name,
    of('without', value),
    of('with', value),
    spread(rise(value)),
  ];
  return {
    figures: {
      throughput_loss: -median(rise(perSecond)) + displaced,
      p50_rise: median(p50 ?? []),
      p99_rise: median(p99 ?? []),
      p999_rise: median(p999 ?? []),
      target_cpu_rise: median(cpu),
      samples_per_second: median(alone.map((one) => one.samples)),
      samples_per_second_of_two: samples,
      samples_per_percent_of_core: samples / (100 * spent),
    },
    details: { pairs, rate, alone },
    report: {
      head: ['', 'without', 'with', 'change: median (middle half)'],
      rows: [
        row('requests/s, as many as possible', perSecond),
        row('CPU µs per request then', (turn) => 1e6 * turn.cpuFast),
        row(`p50 µs at ${rate} requests/s`, ({ even }) => even.p50),
        row(`p99 µs at ${rate} requests/s`, ({ even }) => even.p99),
        row(`p99.9 µs at ${rate} requests/s`, ({ even }) => even.p999),
        row('CPU µs per request then', (turn) => 1e6 * turn.cpuEven),
      ],
      remarks: [
        `${pairs.length} runs, default budget: ${samples.toFixed(0)} decoded lookups a second, mapscope itself at ${percent(sidecar)} of a core. ` +
          `Where no processor time is to spare that costs the services ${percent(displaced)} more throughput, which throughput_loss in the JSON document includes.`,
        `One of them alone with its load, on ${median(alone.map((one) => one.cpus)).toFixed(1)} processors: ${median(alone.map((one) => one.samples)).toFixed(0)} decoded lookups a second.`,
        `${(samples / (100 * spent)).toFixed(0)} decoded lookups a second for each 1 % of a core that mapscope spends and the service may pay.`,
      ],
    },
  };
}
