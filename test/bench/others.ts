import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Measured, Part, Run } from './part.ts';
import { Sidecar } from './processes.ts';
import { FAST_CONNECTIONS } from './servicepair.ts';
import { median } from './statistics.ts';
import { WebService } from './webservice.ts';

const run = promisify(execFile);

const SOURCE = fileURLToPath(new URL('forks.c', import.meta.url));

/** Articles in each list that is asked for, and requests per second to the service that nobody observes. */
const COUNT = 100;
const RATE = 200;

const forkTimes = z.strictObject({
  p50: z.number(),
  p99: z.number(),
  p999: z.number(),
  longest: z.number(),
});

/** Microseconds. */
interface Turn {
  readonly forks: z.infer<typeof forkTimes>;
  /** Of requests. */
  readonly p50: number;
  readonly p99: number;
}

/** What windows do to others while they observe a service that is asked as fast as it can: to forks, and to a process of the same file. */
export const others: Part = {
  name: 'others',
  title: 'Microseconds that others take, beside a service that is observed',
  measure: async (bench: Run): Promise<Measured> => {
    const folder = await mkdtemp(join(tmpdir(), 'mapscope-forks-'));
    bench.after(() => rm(folder, { recursive: true, force: true }));
    const forks = join(folder, 'forks');
    await run('cc', ['-O2', '-o', forks, SOURCE]);
    const observed = await WebService.start(bench);
    const replica = await WebService.start(bench, observed.path);
    const seconds = bench.quick ? 5 : 10;
    const turn = async (): Promise<Turn> => {
      const [, [load], { stdout }] = await Promise.all([
        WebService.load([observed], { seconds, count: COUNT, connections: FAST_CONNECTIONS }),
        WebService.load([replica], { seconds, count: COUNT, connections: 4, rate: RATE }),
        run(forks, [`${seconds}`]),
      ]);
      return { forks: forkTimes.parse(JSON.parse(stdout)), p50: load?.p50 ?? 0, p99: load?.p99 ?? 0 };
    };
    const without: Turn[] = [];
    const beside: Turn[] = [];
    for (let round = 0; round < (bench.quick ? 3 : 10); round++) {
      without.push(await turn());
      const sidecar = await Sidecar.attach(bench, ['--pid', `${observed.pid}`], 1);
      // mapscope runs for weeks: what it does at its start is not what it does then.
      await WebService.load([observed], { seconds: 3, count: COUNT, connections: FAST_CONNECTIONS });
      beside.push(await turn());
      await sidecar.stop();
    }
    const rows = [
      ['fork, median', ({ forks: { p50 } }: Turn) => p50],
      ['fork, 99th percentile', ({ forks: { p99 } }: Turn) => p99],
      ['fork, 99.9th percentile', ({ forks: { p999 } }: Turn) => p999],
      ['fork, longest', ({ forks: { longest } }: Turn) => longest],
      ['request of another process of the file, median', ({ p50 }: Turn) => p50],
      ['the same, 99th percentile', ({ p99 }: Turn) => p99],
    ] as const;
    const both = rows.map(([name, of]) => ({
      name,
      without: median(without.map(of)),
      beside: median(beside.map(of)),
    }));
    const ratio = (index: number) => (both[index]?.beside ?? 0) / (both[index]?.without ?? 1);
    return {
      figures: { fork_p99_beside_over_without: ratio(1), replica_p99_beside_over_without: ratio(5) },
      details: { without, beside },
      report: {
        head: ['of others', 'without mapscope', 'beside it'],
        rows: both.map((each) => [each.name, each.without.toFixed(0), each.beside.toFixed(0)]),
        remarks: [],
      },
    };
  },
};
