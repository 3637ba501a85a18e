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

/** Two services at the same time. */
export interface Pair {
  /** The one that may be observed. */
  readonly first: Turn;
  readonly second: Turn;
}

/** Pairs one after the other, while mapscope observes the first service of each. */
export interface Observed {
  readonly pairs: readonly Pair[];
  /** Decoded. */
  readonly lookups: number;
  readonly seconds: number;
  /** Processors that mapscope itself kept busy during the pairs. */
  readonly sidecarShare: number;
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
 * Loads two services several times, while mapscope observes the first.
 *
 * @param warmUp seconds under load before that: mapscope runs for weeks, and what it needs to start is not what it needs then
 */
export async function observePairs(
  run: Run,
  web: Services,
  requests: Requests,
  count: number,
  warmUp: number,
): Promise<Observed> {
  const sidecar = await Sidecar.attach(run, ['--pid', String(web[0].pid)], 1);
  await WebService.load(web, { seconds: warmUp, count: requests.count, connections: FAST_CONNECTIONS });
  const [cpu, start] = [cpuTime(sidecar.pid), performance.now()];
  const pairs = await loadPairs(web, requests, count);
  const sidecarShare = (1000 * (cpuTime(sidecar.pid) - cpu)) / (performance.now() - start);
  const [summary] = await sidecar.stop();
  if (summary === undefined) {
    throw new Error('mapscope gave no report');
  }
  const { lookups, seconds } = summary.observed;
  return { pairs, lookups, seconds, sidecarShare };
}

/** Loads two services several times. Which of them the load begins with changes from one time to the next. */
export async function loadPairs(web: Services, requests: Requests, count: number): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for (let i = 0; i < count; i++) {
    const inOrder = i % 2 === 0;
    const [one, other] = await loadBoth(inOrder ? web : [web[1], web[0]], requests);
    pairs.push(inOrder ? { first: one, second: other } : { first: other, second: one });
  }
  return pairs;
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
    if (quick === undefined || calm === undefined) {
      throw new Error('the load gave no report');
    }
    return {
      fast: quick,
      even: calm,
      cpuFast: (half[i] - start[i]) / quick.requests,
      cpuEven: (end[i] - half[i]) / calm.requests,
    };
  };
  return [turn(0), turn(1)];
}
