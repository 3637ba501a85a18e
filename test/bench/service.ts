import { availableParallelism } from 'node:os';
import type { Measured, Part, Run } from './part.ts';
import { cpuTime, Sidecar } from './processes.ts';
import {
  evenRate,
  FAST_CONNECTIONS,
  loadPairs,
  type Observed,
  observePairs,
  type Pair,
  type Requests,
  type Turn,
} from './servicepair.ts';
import { median, percent, spread } from './statistics.ts';
import { WebService } from './webservice.ts';

/** Of the service's processor time. */
const DEFAULT_BUDGET = 0.01;

/** Articles in a list, as a page of a shop has, and in one whose requests are little else than lookups. */
const LIST = 100;
const LONG_LIST = 1000;
const LOOKUPS_PER_ARTICLE = 2.6;

interface Alone {
  readonly cpus: number;
  /** Lookups decoded per second. */
  readonly samples: number;
}

/** Pairs of which mapscope observed one service, and pairs of which it observed none: what they differ by is chance. */
interface Comparison {
  readonly requests: Requests;
  readonly observed: Observed[];
  readonly controls: Pair[];
}

/** How many pairs: in blocks, at the beginning of which mapscope starts. */
interface Extent {
  readonly blocks: number;
  /** In each block, and as many without mapscope. */
  readonly pairs: number;
  /** Seconds. */
  readonly warmUp: number;
}

const QUICK: Extent = { blocks: 2, pairs: 2, warmUp: 4 };
const FULL: Extent = { blocks: 4, pairs: 4, warmUp: 30 };
const LONG: Extent = { blocks: 2, pairs: 2, warmUp: 30 };

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
    const comparisons = [await compare(run, web, { count: LIST, seconds }, run.quick ? QUICK : FULL)];
    if (!run.quick) {
      comparisons.push(await compare(run, web, { count: LONG_LIST, seconds }, LONG));
    }
    const alone = new Map([LIST, LONG_LIST].map((count): [number, Alone[]] => [count, []]));
    for (let i = 0; i < (run.quick ? 2 : 5); i++) {
      for (const [count, ones] of alone) {
        ones.push(await observeAlone(run, web[0], { seconds: run.quick ? 8 : 30, count }));
      }
    }
    return evaluated(comparisons, alone);
  },
};

async function compare(
  run: Run,
  web: readonly [WebService, WebService],
  { count, seconds }: Omit<Requests, 'rate'>,
  { blocks, pairs, warmUp }: Extent,
): Promise<Comparison> {
  const requests = { count, seconds, rate: await evenRate(web, count) };
  const comparison: Comparison = { requests, observed: [], controls: [] };
  for (let block = 0; block < blocks; block++) {
    const ordered = block % 2 === 0 ? web : ([web[1], web[0]] as const);
    comparison.observed.push(await observePairs(run, ordered, requests, pairs, warmUp));
    comparison.controls.push(...(await loadPairs(ordered, requests, pairs)));
  }
  return comparison;
}

/** One service has the machine for itself, with its load: what is seen of it, and the processors that it keeps busy. */
async function observeAlone(run: Run, web: WebService, requests: Omit<Requests, 'rate'>): Promise<Alone> {
  const sidecar = await Sidecar.attach(run, ['--pid', String(web.pid)], 1);
  const [cpu, start] = [cpuTime(web.pid), performance.now()];
  await WebService.load([web], { ...requests, connections: FAST_CONNECTIONS });
  const cpus = (1000 * (cpuTime(web.pid) - cpu)) / (performance.now() - start);
  const [summary] = await sidecar.stop();
  if (summary === undefined) {
    throw new Error('mapscope gave no report');
  }
  return { cpus, samples: summary.observed.lookups / summary.observed.seconds };
}

type Value = (turn: Turn) => number;

const perSecond: Value = ({ fast }) => fast.requests / fast.seconds;

/** How much more it was of the first service than of the second, for each pair. */
function rises(pairs: readonly Pair[], of: Value): number[] {
  return pairs.map(({ first, second }) => of(first) / of(second) - 1);
}

function rows({ requests, observed, controls }: Comparison): string[][] {
  const pairs = observed.flatMap((one) => one.pairs);
  const row = (name: string, of: Value) => [
    name,
    median(pairs.map(({ second }) => of(second))).toFixed(0),
    median(pairs.map(({ first }) => of(first))).toFixed(0),
    spread(rises(pairs, of)),
    spread(rises(controls, of)),
  ];
  return [
    [`${Math.round(requests.count * LOOKUPS_PER_ARTICLE)} lookups a request:`, '', '', '', ''],
    row('requests/s, as many as possible', perSecond),
    row('p50 µs then', ({ fast }) => fast.p50),
    row('p99 µs', ({ fast }) => fast.p99),
    row('p99.9 µs', ({ fast }) => fast.p999),
    row('CPU µs per request', (turn) => 1e6 * turn.cpuFast),
    row(`p50 µs at ${requests.rate} requests/s`, ({ even }) => even.p50),
    row('p99 µs', ({ even }) => even.p99),
    row('p99.9 µs', ({ even }) => even.p999),
    row('CPU µs per request', (turn) => 1e6 * turn.cpuEven),
  ];
}

function evaluated(
  comparisons: readonly Comparison[],
  alone: ReadonlyMap<number, readonly Alone[]>,
): Measured {
  const observed = comparisons[0]?.observed ?? [];
  const pairs = observed.flatMap((one) => one.pairs);
  const rise = (of: Value) => median(rises(pairs, of));
  const sidecar = median(observed.map(({ sidecarShare }) => sidecarShare));
  // mapscope's own processor time is missed by both services alike, where there is none to spare.
  const displaced = sidecar / availableParallelism();
  const samples = median(observed.map(({ lookups, seconds }) => lookups / seconds));
  const cores = median(pairs.map(({ first }) => first.cpuFast * perSecond(first)));
  // What the service pays is too little to be measured here: what it may pay at most.
  const perPercent = samples / (100 * (sidecar + DEFAULT_BUDGET * cores));
  return {
    figures: {
      throughput_loss: -rise(perSecond) + displaced,
      p50_rise: rise(({ fast }) => fast.p50),
      p99_rise: rise(({ fast }) => fast.p99),
      p999_rise: rise(({ fast }) => fast.p999),
      p50_rise_at_even_load: rise(({ even }) => even.p50),
      p99_rise_at_even_load: rise(({ even }) => even.p99),
      p999_rise_at_even_load: rise(({ even }) => even.p999),
      target_cpu_rise: rise(({ cpuFast }) => cpuFast),
      samples_per_second: median((alone.get(LIST) ?? []).map((one) => one.samples)),
      samples_per_second_of_long_lists: median((alone.get(LONG_LIST) ?? []).map((one) => one.samples)),
      samples_per_second_of_two: samples,
      samples_per_percent_of_core: perPercent,
    },
    details: { comparisons, alone: Object.fromEntries(alone) },
    report: {
      head: ['', 'without', 'with', 'change: median (middle half)', 'chance: both without'],
      rows: comparisons.flatMap(rows),
      remarks: [
        `${comparisons.map(({ controls }) => controls.length).join(' and ')} pairs, default budget: ${samples.toFixed(0)} decoded lookups a second, mapscope itself at ${percent(sidecar)} of a core. ` +
          `Where no processor time is to spare that costs the services ${percent(displaced)} more throughput, which throughput_loss in the JSON document includes.`,
        ...[...alone].map(([count, ones]) => aloneRemark(count, ones)),
        `${perPercent.toFixed(0)} decoded lookups a second for each 1 % of a core that mapscope spends and the service may pay.`,
      ],
    },
  };
}

function aloneRemark(count: number, ones: readonly Alone[]): string {
  const [cpus, samples] = [median(ones.map((one) => one.cpus)), median(ones.map((one) => one.samples))];
  return (
    `One of them alone with its load, ${Math.round(count * LOOKUPS_PER_ARTICLE)} lookups a request, on ${cpus.toFixed(2)} processors: ` +
    `${samples.toFixed(0)} decoded lookups a second (${ones.map((one) => one.samples.toFixed(0)).join(', ')}).`
  );
}
