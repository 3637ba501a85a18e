import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { freePort } from '../collector/collector.ts';
import { type Owner, Service } from '../support/service.ts';
import { programBinary } from './build.ts';

/** Without any service discovery but files: that is what most of its dependencies are for. */
const PROMETHEUS = {
  name: 'prometheus',
  package: 'github.com/prometheus/prometheus/cmd/prometheus',
  tags: ['remove_all_sd'],
};

const labels = z.record(z.string(), z.string());

const exemplarData = z.array(
  z.object({
    seriesLabels: labels,
    exemplars: z.array(z.object({ labels, value: z.string().transform(Number), timestamp: z.number() })),
  }),
);

const vectorData = z.object({
  resultType: z.literal('vector'),
  result: z.array(
    z.object({
      metric: labels,
      value: z.tuple([z.number(), z.string()]).transform(([, value]) => Number(value)),
    }),
  ),
});

/** The exemplars of one series. Timestamps are in seconds. */
export type SeriesExemplars = z.infer<typeof exemplarData.element>;

/** One series of an instant query's answer. */
export type Sample = z.infer<typeof vectorData>['result'][number];

/** A running Prometheus that takes OTLP and keeps exemplars. */
export class Prometheus {
  readonly url: string;
  readonly #service: Service;

  constructor(service: Service, url: string) {
    this.#service = service;
    this.url = url;
  }

  /** Where metrics go as OTLP over HTTP; a value for OTEL_EXPORTER_OTLP_METRICS_ENDPOINT. There is no gRPC. */
  get otlpMetricsEndpoint(): string {
    return `${this.url}/api/v1/otlp/v1/metrics`;
  }

  /** The series that a PromQL expression gives now. */
  async query(promql: string): Promise<Sample[]> {
    return vectorData.parse(await this.#ask('query', { query: promql })).result;
  }

  /** The exemplars of the series in a PromQL expression, in a range of time. */
  async queryExemplars(promql: string, start: Date, end: Date): Promise<SeriesExemplars[]> {
    const range = { start: start.toISOString(), end: end.toISOString() };
    return exemplarData.parse(await this.#ask('query_exemplars', { query: promql, ...range }));
  }

  /** Asks until there is an answer other than undefined. */
  async until<T>(ask: () => Promise<T | undefined>): Promise<T> {
    return await this.#service.until(ask);
  }

  async stop(): Promise<void> {
    await this.#service.stop();
  }

  async #ask(what: string, parameters: Readonly<Record<string, string>>): Promise<unknown> {
    const response = await fetch(`${this.url}/api/v1/${what}?${new URLSearchParams(parameters)}`);
    const text = await response.text();
    if (!response.ok) {
      throw new Error(`Prometheus answers ${response.status}: ${text}`);
    }
    return z.object({ data: z.unknown() }).parse(JSON.parse(text)).data;
  }
}

/** Starts a Prometheus that lives as long as its owner. The first time this builds one, which takes minutes. */
export async function startPrometheus(owner: Owner): Promise<Prometheus> {
  const binary = await programBinary(PROMETHEUS);
  const folder = await mkdtemp(join(tmpdir(), 'mapscope-prometheus-'));
  const config = join(folder, 'prometheus.yml');
  await writeFile(config, '{}');
  const address = `127.0.0.1:${await freePort()}`;
  const service = Service.start(owner, 'Prometheus', [
    binary,
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${address}`,
    '--web.enable-otlp-receiver',
    '--enable-feature=exemplar-storage',
    '--log.level=warn',
  ]);
  owner.after(() => rm(folder, { recursive: true, force: true }));
  const url = `http://${address}`;
  await service.until(() =>
    fetch(`${url}/-/ready`).then(
      ({ ok }) => ok || undefined,
      () => undefined,
    ),
  );
  return new Prometheus(service, url);
}
