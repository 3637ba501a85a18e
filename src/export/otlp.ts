import type { Resource } from '@opentelemetry/resources';
import {
  MeterProvider,
  PeriodicExportingMetricReader,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { messageOf } from '../errors.ts';
import type { CandidateSource, ExemplarCandidate } from '../model/candidate.ts';
import type { Target } from '../model/target.ts';
import {
  ANSWER_MILLIS,
  DeliveryMonitor,
  type DeliveryResult,
  type DeliveryTotals,
  endsWithin,
  FLUSH_MILLIS,
  type Freight,
  type Log,
} from './delivery.ts';
import { forwardDiagnostics } from './diagnostics.ts';
import { type OtlpSettings, otlpSettings } from './otlp-config.ts';
import type { Environment } from './otlp-environment.ts';
import { createMetricExporter } from './otlp-exporter.ts';
import { SnapshotMetricProducer, type SnapshotSource } from './producer.ts';
import { DEFAULT_RETRY, RetryingMetricExporter, type RetryPolicy } from './retry.ts';

export interface OtlpExportOptions {
  /** `--otlp-endpoint`; wins over the environment. */
  endpoint?: string;
  source: SnapshotSource;
  /** Lookups that may become exemplars; asked once per export, after `source`. */
  candidates?: CandidateSource;
  mapImplementation: Target['mapImplementation'];
  /** Describes the target, see resource.ts. */
  resource: Resource;
  log: Log;
  /** Overrides OTEL_METRIC_EXPORT_INTERVAL. */
  intervalMillis?: number;
  seriesLimit?: number;
  /** How many goroutines to give series of their own at a time (0). */
  perGoroutine?: number;
  /** Called after each periodic export, however it ended. */
  onExported?: () => void;
  retry?: Partial<RetryPolicy>;
  /**
   * Where to look for the variables that are decided here (process.env). The official exporter reads its own from
   * process.env in any case.
   */
  environment?: Environment;
}

/**
 * Data points per request. Receivers take 4 MiB by default, which some 5,000 histograms fill when all of them carry
 * exemplars.
 */
const MAX_POINTS_PER_REQUEST = 2000;

/**
 * The reader's own timer is not used: it would clamp the time of an export to the interval, and with a short interval
 * the last export of all would have no time to reach a slow receiver. This is the longest interval there is.
 */
const NEVER_MILLIS = 2 ** 31 - 1;

const METRICS: Freight<ResourceMetrics> = {
  name: 'Metrics',
  itemsOf: ({ scopeMetrics }) =>
    scopeMetrics
      .flatMap(({ metrics }) => metrics)
      .reduce((sum, { dataPoints }) => sum + dataPoints.length, 0),
};

/** Periodic export of the observation over OTLP/gRPC. It never throws and never ends the process. */
export class OtlpExport {
  readonly endpoint: string;
  readonly #provider: MeterProvider;
  readonly #producer: SnapshotMetricProducer;
  readonly #exporter: RetryingMetricExporter;
  readonly #monitor: DeliveryMonitor<ResourceMetrics>;
  readonly #timer: NodeJS.Timeout;
  readonly #onExported: () => void;
  #exporting = false;

  /** Undefined when no endpoint is configured. Throws OtlpConfigurationError when it makes no sense. */
  static create(options: OtlpExportOptions): OtlpExport | undefined {
    const settings = otlpSettings(options.endpoint, options.environment ?? process.env, options.log);
    if (settings === undefined) {
      return undefined;
    }
    return new OtlpExport(options, settings);
  }

  private constructor(options: OtlpExportOptions, settings: OtlpSettings) {
    this.endpoint = settings.endpoint;
    forwardDiagnostics(options.log);
    const monitor = new DeliveryMonitor(METRICS, settings.endpoint, options.log);
    const exporter = createMetricExporter(settings.endpoint, options.log);
    const retry = {
      ...DEFAULT_RETRY,
      timeoutMillis: Math.max(1, settings.timeoutMillis - ANSWER_MILLIS),
      ...options.retry,
    };
    this.#exporter = new RetryingMetricExporter(exporter, retry, (report) => {
      monitor.record(report);
      if (report.error === undefined) {
        this.#producer.acknowledge(report.data);
      }
    });
    this.#producer = new SnapshotMetricProducer({
      source: () => {
        monitor.beginCycle();
        return options.source();
      },
      mapImplementation: options.mapImplementation,
      temporality: this.#exporter.selectAggregationTemporality,
      failedExports: () => monitor.totals.failed,
      candidates: guarded(options.candidates, options.log),
      exemplarFilter: settings.exemplarFilter,
      histogramAggregation: settings.histogramAggregation,
      ...(options.seriesLimit !== undefined && { seriesLimit: options.seriesLimit }),
      ...(options.perGoroutine !== undefined && { perGoroutine: options.perGoroutine }),
    });
    this.#monitor = monitor;
    this.#provider = new MeterProvider({
      resource: options.resource,
      readers: [
        new PeriodicExportingMetricReader({
          exporter: this.#exporter,
          exportIntervalMillis: NEVER_MILLIS,
          exportTimeoutMillis: settings.timeoutMillis,
          metricProducers: [this.#producer],
          maxExportBatchSize: MAX_POINTS_PER_REQUEST,
        }),
      ],
    });
    this.#onExported = options.onExported ?? (() => {});
    const { intervalMillis = settings.intervalMillis } = options;
    this.#timer = setInterval(() => void this.#tick(), intervalMillis).unref();
  }

  /** Exports so far. */
  get totals(): Readonly<DeliveryTotals> {
    return this.#monitor.totals;
  }

  /** Exports the present state and waits for the answer, at most `timeoutMillis`. */
  flush(timeoutMillis = FLUSH_MILLIS): Promise<DeliveryResult> {
    return this.#finish(timeoutMillis, () => this.#provider.forceFlush());
  }

  /** Exports the last state and ends, in at most `timeoutMillis`. */
  shutdown(timeoutMillis = FLUSH_MILLIS): Promise<DeliveryResult> {
    clearInterval(this.#timer);
    this.#monitor.end();
    this.#exporter.hurry(performance.now() + timeoutMillis - ANSWER_MILLIS);
    return this.#finish(timeoutMillis, () => this.#provider.shutdown());
  }

  /** One periodic export, unless the one before is still under way. */
  async #tick(): Promise<void> {
    if (this.#exporting) {
      return;
    }
    this.#exporting = true;
    try {
      await this.#provider.forceFlush();
    } finally {
      this.#exporting = false;
      this.#onExported();
    }
  }

  async #finish(timeoutMillis: number, work: () => Promise<void>): Promise<DeliveryResult> {
    const inTime = await endsWithin(work(), timeoutMillis);
    const { items, lastError } = this.#monitor.cycle;
    const problem = this.#problem(lastError, inTime, timeoutMillis);
    return { delivered: problem === undefined, items, ...(problem !== undefined && { problem }) };
  }

  #problem(error: Error | undefined, inTime: boolean, timeoutMillis: number): string | undefined {
    if (error !== undefined) {
      return `${this.#monitor.describe(error)}.`;
    }
    if (!inTime) {
      return `${this.#monitor.undelivered}: no answer within ${timeoutMillis} ms.`;
    }
    const { lastProblem } = this.#producer;
    return lastProblem === undefined ? undefined : `There were no metrics to send: ${String(lastProblem)}.`;
  }
}

/** A source of candidates that fails costs exemplars only, and is told once. */
function guarded(source: CandidateSource | undefined, log: Log): () => readonly ExemplarCandidate[] {
  let told = false;
  return () => {
    try {
      return source?.drainCandidates() ?? [];
    } catch (error) {
      if (!told) {
        told = true;
        log('warn', `Exemplars cannot be read: ${messageOf(error)}. Metrics are sent without them.`);
      }
      return [];
    }
  };
}
