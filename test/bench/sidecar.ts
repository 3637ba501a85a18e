import { setTimeout as delay } from 'node:timers/promises';
import { type Receiver, startReceiver } from '../support/otlp-receiver/receiver.ts';
import { until } from '../support/until.ts';
import type { Measured, Part, Run } from './part.ts';
import { cpuTime, memory, Sidecar } from './processes.ts';
import { buildSeriesService, startSeriesService } from './seriesservice.ts';
import { percent } from './statistics.ts';

interface Load {
  readonly series: number;
  readonly targets: number;
}

interface Cost extends Load {
  /** Call sites times outcomes in the reports; the tables of each target have room for so many. */
  readonly reported: number;
  /** Of a core, with an export a minute; of several targets, whose exports do not come together, with those of the run. */
  readonly cpuShare: number;
  /** Of a core, between exports; not known of several targets. */
  readonly quietShare?: number;
  /** Seconds of processor time; not known of several targets. */
  readonly exportSeconds?: number;
  /** MB: between exports, and at most. */
  readonly resident: number;
  readonly peak: number;
}

/** What is said of one target with this many series. */
const TYPICAL = 1000;

const QUICK: readonly Load[] = [
  { series: 10, targets: 1 },
  { series: TYPICAL, targets: 1 },
  { series: 10, targets: 10 },
];
const FULL: readonly Load[] = [
  { series: 10, targets: 1 },
  { series: TYPICAL, targets: 1 },
  { series: 20_000, targets: 1 },
  { series: 10, targets: 10 },
  { series: 10, targets: 50 },
  { series: TYPICAL, targets: 10 },
];

/** OTEL_METRIC_EXPORT_INTERVAL's default. */
const USUAL_INTERVAL_SECONDS = 60;
/** Under load, until code that runs often has been compiled. */
const WARM_UP_MILLIS = 90_000;
/** After an export, until all that it left behind is gone. */
const SETTLE_MILLIS = 1500;

/** Processor time and memory of mapscope itself, exporting over OTLP what busy services do. */
export const sidecar: Part = {
  name: 'sidecar',
  title: 'mapscope itself',
  measure: async (run: Run): Promise<Measured> => {
    const path = await buildSeriesService();
    const costs: Cost[] = [];
    for (const load of run.quick ? QUICK : FULL) {
      costs.push(await cost(run, path, load));
    }
    const typical = costs.find(({ series, targets }) => series === TYPICAL && targets === 1);
    return {
      figures: {
        sidecar_cpu_share: typical?.cpuShare ?? Number.NaN,
        sidecar_rss_mb: typical?.resident ?? Number.NaN,
        sidecar_peak_mb: typical?.peak ?? Number.NaN,
      },
      details: costs,
      report: {
        head: [
          'targets',
          'series of each',
          'reported',
          'CPU of a core',
          'between exports',
          'CPU s per export',
          'resident MB',
          'peak MB',
        ],
        rows: costs.map((c) => [
          String(c.targets),
          String(c.series),
          String(c.reported),
          percent(c.cpuShare),
          c.quietShare === undefined ? '' : percent(c.quietShare),
          c.exportSeconds?.toFixed(2) ?? '',
          c.resident.toFixed(0),
          c.peak.toFixed(0),
        ]),
        remarks: [
          `CPU of a core is with an export a minute, the usual interval; of several targets with one every ${intervalMillis(run) / 1000} s. The targets use half a core together.`,
        ],
      },
    };
  },
};

function intervalMillis(run: Run): number {
  return run.quick ? 10_000 : 20_000;
}

async function cost(run: Run, path: string, load: Load): Promise<Cost> {
  const services = [];
  for (let i = 0; i < load.targets; i++) {
    const service = await startSeriesService(path, load.series, 0.5 / load.targets);
    run.after(async () => {
      service.kill('SIGKILL');
    });
    services.push(service);
  }
  const receiver = await startReceiver();
  const target = load.targets === 1 ? ['--pid', String(services[0]?.pid)] : ['--exe', path];
  try {
    const running = await Sidecar.attach(
      run,
      [...target, '--otlp-endpoint', receiver.endpoint],
      load.targets,
      {
        OTEL_METRIC_EXPORT_INTERVAL: String(intervalMillis(run)),
      },
    );
    const warm = delay(run.quick ? 0 : WARM_UP_MILLIS);
    await mostSeriesSeen(receiver, load, run.quick ? 30_000 : 300_000);
    await warm;
    const measured =
      load.targets === 1
        ? await betweenExports(running.pid, receiver, intervalMillis(run))
        : await wholeInterval(running.pid, intervalMillis(run));
    const { peak } = memory(running.pid);
    const reports = await running.stop();
    const reported = reports.reduce((sum, { callSites }) => sum + 2 * callSites.length, 0);
    return { ...load, ...measured, peak, reported };
  } finally {
    for (const service of services) {
      service.kill();
    }
    await receiver.close();
  }
}

/** A metric that has a point for each series. */
const BY_SERIES = 'gomap.lookups';
/** Exported of each target at most. */
const MOST_SERIES = 1998;

/** Waits until nine in ten of the series have been exported: windows come upon them by chance. Goes on after some time anyway. */
async function mostSeriesSeen(receiver: Receiver, { series, targets }: Load, millis: number): Promise<void> {
  const wanted = 0.9 * targets * Math.min(series, MOST_SERIES);
  const seen = () => receiver.summary().metrics.find(({ name }) => name === BY_SERIES)?.points ?? 0;
  for (const start = performance.now(); seen() < wanted && performance.now() - start < millis; ) {
    await delay(500);
  }
}

/** From the end of exports to that of the next ones. */
async function betweenExports(
  pid: number,
  receiver: Receiver,
  interval: number,
): Promise<Pick<Cost, 'cpuShare' | 'quietShare' | 'exportSeconds' | 'resident'>> {
  const requests = () => receiver.summary().requests;
  const earlier = requests();
  await until(() => requests() > earlier, 'an export', 300_000);
  await exportsEnd(requests);
  const [quietFrom, from] = [cpuTime(pid), performance.now()];
  const first = requests();
  await delay(Math.max(1000, interval - 3 * SETTLE_MILLIS));
  const [quietTo, to] = [cpuTime(pid), performance.now()];
  const { resident } = memory(pid);
  await until(() => requests() > first, 'the next export', 300_000);
  await exportsEnd(requests);
  const [cpuEnd, end] = [cpuTime(pid), performance.now()];
  const quietShare = (1000 * (quietTo - quietFrom)) / (to - from);
  const exportSeconds = Math.max(0, cpuEnd - quietTo - (quietShare * (end - to)) / 1000);
  return {
    quietShare,
    exportSeconds,
    resident,
    cpuShare: quietShare + exportSeconds / USUAL_INTERVAL_SECONDS,
  };
}

/** While each target exports once. */
async function wholeInterval(pid: number, interval: number): Promise<Pick<Cost, 'cpuShare' | 'resident'>> {
  const [from, start] = [cpuTime(pid), performance.now()];
  await delay(interval);
  const cpuShare = (1000 * (cpuTime(pid) - from)) / (performance.now() - start);
  return { cpuShare, resident: memory(pid).resident };
}

/** Waits until no more requests come: an export may take several. */
async function exportsEnd(requests: () => number): Promise<void> {
  for (let seen = -1; seen !== requests(); ) {
    seen = requests();
    await delay(SETTLE_MILLIS);
  }
}
