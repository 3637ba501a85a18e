import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Summary } from '../../src/report/summary/schema.ts';
import { collectorBinary } from '../collector/build.ts';
import { type Collector, eventually, startCollector } from '../collector/collector.ts';
import { type CollectedExemplar, type CollectedExport, metricNamed } from '../collector/otlp-json.ts';
import { checkSummary } from '../support/accounts.ts';
import { commandLine } from '../support/command.ts';
import { type Owner, Service } from '../support/service.ts';
import {
  type LoadOptions,
  type LoadReport,
  runLoad,
  type Shop,
  type ShopOptions,
  startShop,
  type TruthPiece,
} from '../support/shop.ts';
import { type Jaeger, startJaeger } from './jaeger.ts';

/** The histograms that carry exemplars. */
export const HISTOGRAMS = ['gomap.lookup.probe_length', 'gomap.lookup.key_comparisons'] as const;

export interface ObservedOptions {
  readonly shop: ShopOptions;
  readonly load: LoadOptions;
  /** Options of `mapscope attach` beside those that say what to observe and where to send it. */
  readonly options: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** An exemplar that the collector has received. */
export interface ReceivedExemplar extends CollectedExemplar {
  /** The histogram's name. */
  readonly metric: string;
  /** Of its point: the call site, the map's type, the result. */
  readonly point: Readonly<Record<string, unknown>>;
}

/** What the collector received about the shop under load, and the truth. */
export interface Observed {
  /** Everything received of this shop, oldest first. */
  readonly exports: readonly CollectedExport[];
  readonly exemplars: readonly ReceivedExemplar[];
  readonly summary: Summary;
  /** What mapscope said beside its report. */
  readonly said: string;
  readonly truth: readonly TruthPiece[];
  readonly load: LoadReport;
}

/** Where things are sent to. */
export interface Backends {
  readonly collector: Collector;
  /** Gets the spans of the shop and of an instrumented client. */
  readonly jaeger: Jaeger;
}

/**
 * Starts a collector and a Jaeger for as long as their owner lives.
 *
 * @param otlpHttp where the collector sends everything on to as well
 */
export async function startBackends(owner: Owner, otlpHttp?: string): Promise<Backends> {
  await collectorBinary();
  return { collector: await startCollector(owner, undefined, otlpHttp), jaeger: await startJaeger(owner) };
}

/** A running `mapscope attach`. */
export interface Attached {
  readonly service: Service;
  /** Ends it and reads its report. */
  stop(): Promise<Summary>;
}

/** Attaches to the shop with the real command line; when this returns, the probes are in. */
export async function attachTo(
  owner: Owner,
  collector: Collector,
  shop: Shop,
  { options, env }: Pick<ObservedOptions, 'options' | 'env'>,
): Promise<Attached> {
  const folder = await mkdtemp(join(tmpdir(), 'mapscope-observed-'));
  owner.after(() => rm(folder, { recursive: true, force: true }));
  const report = join(folder, 'summary.json');
  const output = ['--format', 'json', '--output', report, '--otlp-endpoint', collector.endpoint];
  const service = Service.start(
    owner,
    'mapscope',
    commandLine('attach', '--pid', `${shop.pid}`, ...output, ...options),
    { OTEL_METRIC_EXPORT_INTERVAL: '500', ...env },
  );
  // The shop makes lookups all the time.
  await service.until(async () => lookupsOf(await exportsOf(collector, shop)) || undefined);
  const stop = async () => {
    const status = await service.stop();
    if (status !== 0) {
      throw new Error(`mapscope ended with status ${status}: ${service.output}`);
    }
    return checkSummary(JSON.parse(await readFile(report, 'utf8')));
  };
  return { service, stop };
}

/** Observes the shop under load with the real command line, from before the load until after it, and stops the shop. */
export async function observeShop(
  owner: Owner,
  { collector, jaeger }: Backends,
  { shop: shopOptions, load: loadOptions, ...attaching }: ObservedOptions,
): Promise<Observed> {
  const shop = await startShop(owner, { endpoint: jaeger.endpoint, ...shopOptions });
  const mapscope = await attachTo(owner, collector, shop, attaching);
  const load = await runLoad(shop, { endpoint: jaeger.endpoint, ...loadOptions });
  const summary = await mapscope.stop();
  const exports = await untilAll(collector, shop, summary);
  const exemplars = exports.flatMap(exemplarsOf);
  const said = mapscope.service.output;
  return { exports, exemplars, summary, said, truth: await shop.stop(), load };
}

async function exportsOf(collector: Collector, shop: Shop): Promise<CollectedExport[]> {
  return (await collector.exports()).filter(({ resource }) => resource['process.pid'] === shop.pid);
}

/** Lookups that the last export counts whose histograms are cumulative; of deltas the sum. */
function lookupsOf(exports: readonly CollectedExport[]): number {
  const counts = exports.flatMap((one) => {
    const metric = metricNamed(one, HISTOGRAMS[0]);
    const data = metric?.histogram ?? metric?.exponentialHistogram;
    if (data === undefined) {
      return [];
    }
    const count = data.dataPoints.reduce((sum, point) => sum + point.count, 0);
    return [{ count, isDelta: data.aggregationTemporality === 1 }];
  });
  const [first] = counts;
  if (first?.isDelta) {
    return counts.reduce((sum, { count }) => sum + count, 0);
  }
  return counts.at(-1)?.count ?? 0;
}

/** Waits until the collector has written the last export. */
async function untilAll(collector: Collector, shop: Shop, { observed }: Summary): Promise<CollectedExport[]> {
  return await eventually(async () => {
    const exports = await exportsOf(collector, shop);
    return lookupsOf(exports) === observed.lookups ? exports : undefined;
  });
}

/** The exemplars of both histograms in an export. */
export function exemplarsOf(one: CollectedExport): ReceivedExemplar[] {
  return HISTOGRAMS.flatMap((metric) => {
    const found = metricNamed(one, metric);
    const points = found?.histogram?.dataPoints ?? found?.exponentialHistogram?.dataPoints ?? [];
    return points.flatMap(({ attributes, exemplars }) =>
      exemplars.map((exemplar) => ({ ...exemplar, metric, point: attributes })),
    );
  });
}
