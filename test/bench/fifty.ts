import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startCommand } from '../support/command.ts';
import { buildGo } from '../support/go-toolchains.ts';
import { startReceiver } from '../support/otlp-receiver/receiver.ts';
import { until } from '../support/until.ts';
import type { Measured, Part, Run } from './part.ts';
import { cpuTime, memory } from './processes.ts';
import { percent } from './statistics.ts';

const STEADY = join(import.meta.dirname, '../services/steady');
const TARGETS = 50;
/** Of each: a small service, which wakes a hundred times a second and looks some keys up. */
const LOAD = ['-rate', '500', '-goroutines', '1', '-entries', '1000', '-pause', '10ms'];
/** A whole interval between exports: each target exports once. */
const MINUTE_MILLIS = 60_000;

interface Cost {
  readonly images: number;
  /** Of a core, that mapscope itself uses. */
  readonly cpuShare: number;
  /** MB. */
  readonly resident: number;
  readonly peak: number;
  /** Processor time of the observed services over that of as many others, beside them, as compared with before. */
  readonly outside: number;
  /** Cores that the observed ones use. */
  readonly cores: number;
}

/** What one sidecar takes for many small services, and what it costs them, seen from outside. */
export const fifty: Part = {
  name: 'fifty',
  title: `${TARGETS} small services and one sidecar, with an export a minute`,
  measure: async (run: Run): Promise<Measured> => {
    const costs: Cost[] = [];
    for (const images of [1, 2]) {
      costs.push(await cost(run, images));
    }
    return {
      figures: {
        fifty_cpu_share: costs[0]?.cpuShare ?? Number.NaN,
        fifty_rss_mb: costs[0]?.resident ?? Number.NaN,
      },
      details: costs,
      report: {
        head: [
          'executables',
          'CPU of a core',
          'resident MB',
          'peak MB',
          'costs the services',
          'which use cores',
        ],
        rows: costs.map((one) => [
          String(one.images),
          percent(one.cpuShare),
          one.resident.toFixed(0),
          one.peak.toFixed(0),
          percent(one.outside),
          one.cores.toFixed(2),
        ]),
        remarks: [
          'What it costs the services is their processor time over that of as many equal ones beside them that nobody observes, compared with a minute without mapscope.',
        ],
      },
    };
  },
};

async function cost(run: Run, images: number): Promise<Cost> {
  const folder = mkdtempSync(join(tmpdir(), 'mapscope-fifty-'));
  run.after(async () => rmSync(folder, { recursive: true, force: true }));
  const built = await buildGo({ dir: STEADY, version: 'local' });
  const start = async (name: string): Promise<ChildProcess[]> => {
    const files = Array.from({ length: images }, (_, i) => join(folder, `${name}-${i}`));
    for (const file of files) {
      copyFileSync(built, file);
    }
    return Promise.all(
      Array.from({ length: TARGETS }, (_, i) => startService(run, files[i % images] ?? built)),
    );
  };
  const [observed, others] = [await start('observed'), await start('others')];
  const before = await during(observed, others);
  const receiver = await startReceiver();
  run.after(() => receiver.close());
  const mapscope = await startSidecar(run, [
    ...['--exe', join(folder, 'observed-*'), '--otlp-endpoint', receiver.endpoint],
  ]);
  // Until all have exported once, and code that runs often has been compiled.
  await delay(run.quick ? MINUTE_MILLIS : 2 * MINUTE_MILLIS);
  const own = cpuTime(mapscope.pid ?? 0);
  const begin = performance.now();
  const after = await during(observed, others);
  const cpuShare = (1000 * (cpuTime(mapscope.pid ?? 0) - own)) / (performance.now() - begin);
  const { resident, peak } = memory(mapscope.pid ?? 0);
  for (const child of [mapscope, ...observed, ...others]) {
    child.kill();
    await once(child, 'exit');
  }
  return { images, cpuShare, resident, peak, outside: after.ratio / before.ratio - 1, cores: after.cores };
}

async function startService(run: Run, path: string): Promise<ChildProcess> {
  const child = spawn(path, LOAD, { stdio: ['ignore', 'pipe', 'inherit'] });
  run.after(async () => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

/** Returns when it observes all. */
async function startSidecar(run: Run, args: readonly string[]): Promise<ChildProcess> {
  const child = startCommand(['sidecar', ...args]);
  run.after(async () => void child.kill('SIGKILL'));
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await until(
    () => said.split('is observed.').length > TARGETS,
    () => `all are observed: ${said}`,
    120_000,
  );
  return child;
}

/** A minute of both groups. */
async function during(
  observed: readonly ChildProcess[],
  others: readonly ChildProcess[],
): Promise<{ ratio: number; cores: number }> {
  const cpu = (group: readonly ChildProcess[]) => group.reduce((sum, { pid = 0 }) => sum + cpuTime(pid), 0);
  const before = [cpu(observed), cpu(others)] as const;
  await delay(MINUTE_MILLIS);
  const used = [cpu(observed) - before[0], cpu(others) - before[1]] as const;
  return { ratio: used[0] / used[1], cores: (1000 * used[0]) / MINUTE_MILLIS };
}
