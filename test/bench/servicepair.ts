import type { Run } from './part.ts';
import { cpuTime, Sidecar } from './processes.ts';
import { type WebLoad, WebService } from './webservice.ts';

/** What is asked of services. */
export interface Requests {
  /** Articles in each list, of 2.6 lookups each. */
  readonly count: number;
  /** Requests per second to each service, when they come evenly. */
  readonly rate: number;
  /** Of each of the two loads. */
  readonly seconds: number;
}

/** One service under a load as fast as it can, and under an even one, with its processor time for a request of each. */
export interface Turn {
  readonly fast: WebLoad;
  readonly even: WebLoad;
  readonly cpuFast: number;
  readonly cpuEven: number;
}

/** What came of an observation meanwhile. */
interface Observed {
  readonly lookups: number;
  readonly seconds: number;
  /** Processors that mapscope itself kept busy. */
  readonly sidecarShare: number;
}

/** Two services at the same time. */
export interface Pair {
  /** The one that may be observed. */
  readonly first: Turn;
  readonly second: Turn;
  /** Without it neither was. */
  readonly observed?: Observed;
}

type Services = readonly [WebService, WebService];

/** Connections to a service that is asked as fast as it can: enough that it never waits for requests. */
export const FAST_CONNECTIONS = 16;
const EVEN_CONNECTIONS = 4;

/** An even rate that leaves the processors time: a request costs far more when threads sleep between two. */
export async function evenRate(web: Services, count: number): Promise<number> {
  await WebService.load(web, { seconds: 1, count, connections: FAST_CONNECTIONS });
  const loads = await WebService.load(web, { seconds: 2, count, connections: EVEN_CONNECTIONS });
  return Math.round(Math.min(...loads.map(({ requests }) => requests)) / 2 / 4);
}

/**
 * Loads two services at the same time, of which mapscope observes one or none.
 *
 * @param turn number of the pair: which service is the first, and which the load begins with, changes from one to the next
 */
export async function measurePair(
  run: Run,
  web: Services,
  turn: number,
  requests: Requests,
  observe: boolean,
): Promise<Pair> {
  const [first, second]: Services = turn % 2 === 0 ? web : [web[1], web[0]];
  const sidecar = observe ? await Sidecar.attach(run, ['--pid', String(first.pid)], 1) : undefined;
  const { count } = requests;
  // What mapscope needs to start is not what it needs to run.
  await WebService.load(web, { seconds: 1, count, connections: FAST_CONNECTIONS });
  const [cpu, start] = [sidecar ? cpuTime(sidecar.pid) : 0, performance.now()];
  const inOrder = turn % 4 < 2;
  const turns = await loadBoth(inOrder ? [first, second] : [second, first], requests);
  const [one, other] = inOrder ? turns : [turns[1], turns[0]];
  if (!sidecar) return { first: one, second: other };
  const sidecarShare = (1000 * (cpuTime(sidecar.pid) - cpu)) / (performance.now() - start);
  const [summary] = await sidecar.stop();
  if (summary === undefined) throw new Error('mapscope gave no report');
  const { lookups, seconds } = summary.observed;
  return { first: one, second: other, observed: { lookups, seconds, sidecarShare } };
}

async function loadBoth(web: Services, { count, rate, seconds }: Requests): Promise<[Turn, Turn]> {
  const used = () => [cpuTime(web[0].pid), cpuTime(web[1].pid)] as const;
  const start = used();
  const fast = await WebService.load(web, { seconds, count, connections: FAST_CONNECTIONS });
  const half = used();
  const even = await WebService.load(web, { seconds, count, connections: EVEN_CONNECTIONS, rate });
  const end = used();
  const turn = (i: 0 | 1): Turn => {
    const [quick, calm] = [fast[i], even[i]];
    if (quick === undefined || calm === undefined) throw new Error('the load gave no report');
    return {
      fast: quick,
      even: calm,
      cpuFast: (half[i] - start[i]) / quick.requests,
      cpuEven: (end[i] - half[i]) / calm.requests,
    };
  };
  return [turn(0), turn(1)];
}
