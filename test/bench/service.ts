import type { Measured, Part, Run } from './part.ts';
import { cpuTime, Sidecar } from './processes.ts';
import { median, percent, spread } from './statistics.ts';
import { type WebLoad, WebService } from './webservice.ts';

/** A load as fast as the service can, then one at half of that; with the service's processor time for a request of the latter. */
interface Turn {
  readonly fast: WebLoad;
  readonly even: WebLoad;
  readonly cpuPerRequest: number;
}

interface Pair {
  readonly without: Turn;
  readonly with: Turn;
  readonly lookups: number;
  readonly seconds: number;
  /** Of a processor. */
  readonly sidecarShare: number;
}

/** Throughput and latency of an HTTP service with and without mapscope at its default budget, in alternating runs. */
export const service: Part = {
  name: 'service',
  title: 'An HTTP service without and with mapscope',
  measure: async (run: Run): Promise<Measured> => {
    const web = await WebService.start(run);
    const seconds = run.quick ? 2.5 : 8;
    await web.load(1, 0);
    const { requests, seconds: took } = await web.load(2, 0);
    const rate = Math.round(requests / took / 2);
    const pairs: Pair[] = [];
    for (let i = 0; i < (run.quick ? 4 : 12); i++)
      pairs.push(await pair(run, web, seconds, rate, i % 2 === 1));
    return evaluated(pairs, rate);
  },
};

async function pair(
  run: Run,
  web: WebService,
  seconds: number,
  rate: number,
  withFirst: boolean,
): Promise<Pair> {
  const before = withFirst ? undefined : await turn(web, seconds, rate);
  const sidecar = await Sidecar.attach(run, ['--pid', String(web.pid)], 1);
  const [cpu, start] = [cpuTime(sidecar.pid), performance.now()];
  const observed = await turn(web, seconds, rate);
  const sidecarShare = (1000 * (cpuTime(sidecar.pid) - cpu)) / (performance.now() - start);
  const [summary] = await sidecar.stop();
  if (summary === undefined) throw new Error('mapscope gave no report');
  const { lookups, seconds: observedSeconds } = summary.observed;
  const without = before ?? (await turn(web, seconds, rate));
  return { without, with: observed, lookups, seconds: observedSeconds, sidecarShare };
}

async function turn(web: WebService, seconds: number, rate: number): Promise<Turn> {
  const fast = await web.load(seconds, 0);
  const cpu = cpuTime(web.pid);
  const even = await web.load(seconds, rate);
  return { fast, even, cpuPerRequest: (cpuTime(web.pid) - cpu) / even.requests };
}

function evaluated(pairs: readonly Pair[], rate: number): Measured {
  const perSecond = ({ fast }: Turn) => fast.requests / fast.seconds;
  const rise = (of: (turn: Turn) => number) => pairs.map((p) => of(p.with) / of(p.without) - 1);
  const loss = rise(perSecond).map((share) => -share);
  const [p50, p99, p999] = (['p50', 'p99', 'p999'] as const).map((which) => rise(({ even }) => even[which]));
  const cpu = rise((turn) => turn.cpuPerRequest);
  const samples = median(pairs.map((p) => p.lookups / p.seconds));
  const sidecar = median(pairs.map((p) => p.sidecarShare));
  // Of a processor: what the service itself uses more at the even rate.
  const extra = median(pairs.map((p) => (p.with.cpuPerRequest - p.without.cpuPerRequest) * rate));
  const spent = sidecar + Math.max(0, extra);
  const of = (which: 'with' | 'without', value: (turn: Turn) => number) =>
    median(pairs.map((p) => value(p[which]))).toFixed(0);
  const row = (name: string, value: (turn: Turn) => number, change: readonly number[] | undefined) => [
    name,
    of('without', value),
    of('with', value),
    spread(change ?? []),
  ];
  return {
    figures: {
      throughput_loss: median(loss),
      p50_rise: median(p50 ?? []),
      p99_rise: median(p99 ?? []),
      p999_rise: median(p999 ?? []),
      target_cpu_rise: median(cpu),
      samples_per_second: samples,
      samples_per_percent_of_core: samples / (100 * spent),
    },
    details: { pairs, rate },
    report: {
      head: ['', 'without', 'with', 'change: median (middle half)'],
      rows: [
        row('requests/s, as many as possible', perSecond, rise(perSecond)),
        row(`p50 µs at ${rate} requests/s`, ({ even }) => even.p50, p50),
        row(`p99 µs at ${rate} requests/s`, ({ even }) => even.p99, p99),
        row(`p99.9 µs at ${rate} requests/s`, ({ even }) => even.p999, p999),
        row('service: CPU µs per request', (turn) => 1e6 * turn.cpuPerRequest, cpu),
      ],
      remarks: [
        `${pairs.length} pairs of runs, default budget: ${samples.toFixed(0)} decoded lookups a second, mapscope itself at ${percent(sidecar)} of a core.`,
        `${(samples / (100 * spent)).toFixed(0)} decoded lookups a second for each 1 % of a core that mapscope and the service spend on it.`,
      ],
    },
  };
}
