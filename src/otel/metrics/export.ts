import type { Resource } from '@opentelemetry/resources';
import { MeterProvider, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { messageOf } from '../../base/errors.ts';
import { type Log, once } from '../../base/log.ts';
import { VERSION } from '../../base/version.ts';
import type { CandidateSource, ExemplarCandidate } from '../../model/candidate.ts';
import type { Target } from '../../model/target.ts';
import { SCOPES } from '../contract/metrics.ts';
import { SCHEMA_URL } from '../contract/semconv.ts';
import { forwardDiagnostics } from '../delivery/diagnostics.ts';
import {
  ANSWER_MILLIS,
  DeliveryMonitor,
  type DeliveryResult,
  type DeliveryTotals,
  endsWithin,
  FLUSH_MILLIS,
  type Freight,
} from '../delivery/monitor.ts';
import { metricPieces } from '../delivery/pieces.ts';
import { DEFAULT_RETRY, RetryingMetricExporter, type RetryPolicy } from '../delivery/retry.ts';
import { createMetricSender } from '../otlp/exporter.ts';
import { type OtlpSettings, otlpSettings } from '../settings/metrics-settings.ts';
import { sayWhatIsRefused } from '../settings/variables.ts';
import { ExportFailure } from '../transport/failure.ts';
import { ObservationReader } from './observation-reader.ts';
import { SnapshotMetricProducer, type SnapshotSource } from './producer.ts';
import { observeSelf } from './self-instruments.ts';
import { hasDeltas } from './temporality.ts';

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
  /** How many goroutines to give series of their own at a time (0). */
  perGoroutine?: number;
  /** Called after each request with as many points as one may have, however it ended: more will follow. */
  onFullRequest?: () => void;
  /** Called after each periodic export, however it ended. */
  onExported?: () => void;
  retry?: Partial<RetryPolicy>;
}

/**
 * Data points per request. Receivers take 4 MiB by default, which some 5,000 histograms fill when all of them carry
 * exemplars; and of a request three copies are in memory while it is sent.
 */
const MAX_POINTS_PER_REQUEST = 1000;

/**
 * The reader's own timer is not used: it would clamp the time of an export to the interval, and with a short interval
 * the last export of all would have no time to reach a slow receiver. This is the longest interval there is.
 */
const NEVER_MILLIS = 2 ** 31 - 1;

const METRICS: Freight<ResourceMetrics> = {
  name: 'Metrics',
  items: 'data points',
  itemsOf: ({ scopeMetrics }) =>
    scopeMetrics
      .flatMap(({ metrics }) => metrics)
      .reduce((sum, { dataPoints }) => sum + dataPoints.length, 0),
};

/** After a failure that may pass the next collection does not wait for its turn: a receiver that is back is to have data soon. */
const AGAIN_MILLIS = 2500;

/** Periodic export of the observation over OTLP. It never throws and never ends the process. */
export class OtlpExport {
  readonly endpoint: string;
  readonly #provider: MeterProvider;
  readonly #producer: SnapshotMetricProducer;
  readonly #exporter: RetryingMetricExporter;
  readonly #monitor: DeliveryMonitor<ResourceMetrics>;
  readonly #timer: NodeJS.Timeout;
  readonly #onExported: () => void;
  readonly #intervalMillis: number;
  #again: NodeJS.Timeout | undefined;
  #exporting = false;
  #hasEnded = false;

  /** Undefined when no endpoint is configured. Throws OtlpConfigurationError when it makes no sense. */
  static create(options: OtlpExportOptions): OtlpExport | undefined {
    // Reading the environment may warn, too.
    forwardDiagnostics(options.log);
    const log = once(options.log);
    const settings = otlpSettings(options.endpoint, log);
    if (settings === undefined) {
      return undefined;
    }
    sayWhatIsRefused(log);
    return new OtlpExport(options, settings);
  }

  private constructor(options: OtlpExportOptions, settings: OtlpSettings) {
    this.endpoint = settings.endpoint.shown;
    const monitor = new DeliveryMonitor(METRICS, settings.endpoint, options.log);
    const policy = {
      ...DEFAULT_RETRY,
      timeoutMillis: Math.max(1, settings.timeoutMillis - ANSWER_MILLIS),
      ...options.retry,
    };
    this.#exporter = new RetryingMetricExporter(createMetricSender(settings.endpoint, options.log), {
      policy,
      pieces: metricPieces,
      // Cumulative points replace one another; deltas are added up.
      isRepeatable: (metrics) => !hasDeltas(metrics),
      report: (report) => {
        monitor.record(report);
        if (report.error === undefined || report.isUncertain) {
          this.#producer.acknowledge(report.data);
        }
        if (METRICS.itemsOf(report.data) === MAX_POINTS_PER_REQUEST) {
          options.onFullRequest?.();
        }
      },
    });
    this.#producer = new SnapshotMetricProducer({
      source: () => {
        monitor.beginCycle();
        this.#exporter.beginCycle();
        return options.source();
      },
      mapImplementation: options.mapImplementation,
      temporality: this.#exporter.selectAggregationTemporality,
      failedExports: () => monitor.totals.failed,
      rejectedPoints: () => monitor.totals.rejected,
      uncertainPoints: () => monitor.totals.uncertain,
      candidates: guarded(options.candidates, options.log),
      exemplarFilter: settings.exemplarFilter,
      histogramAggregation: settings.histogramAggregation,
      ...(options.perGoroutine !== undefined && { perGoroutine: options.perGoroutine }),
    });
    this.#monitor = monitor;
    this.#provider = new MeterProvider({
      resource: options.resource,
      readers: [
        new ObservationReader(this.#producer, {
          exporter: this.#exporter,
          exportIntervalMillis: NEVER_MILLIS,
          // Each export ends by itself: a reader that went on before that would collect its deltas once more.
          exportTimeoutMillis: NEVER_MILLIS,
          maxExportBatchSize: MAX_POINTS_PER_REQUEST,
        }),
      ],
    });
    observeSelf(
      this.#provider.getMeter(SCOPES.self, VERSION, { schemaUrl: SCHEMA_URL }),
      () => this.#producer.self,
    );
    this.#onExported = options.onExported ?? (() => {});
    this.#intervalMillis = options.intervalMillis ?? settings.intervalMillis;
    this.#timer = setInterval(() => void this.#tick(), this.#intervalMillis).unref();
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
    clearTimeout(this.#again);
    this.#hasEnded = true;
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
    clearTimeout(this.#again);
    try {
      await this.#provider.forceFlush();
    } finally {
      this.#exporting = false;
      this.#onExported();
    }
    const { lastProblem } = this.#producer;
    this.#monitor.recordCollection(lastProblem === undefined ? undefined : messageOf(lastProblem));
    const { lastError } = this.#monitor.cycle;
    if (lastError instanceof ExportFailure && lastError.retryable && !this.#hasEnded) {
      const wait = Math.min(AGAIN_MILLIS, this.#intervalMillis);
      this.#again = setTimeout(() => void this.#tick(), wait).unref();
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
    if (lastProblem === undefined) {
      return this.#monitor.rejection ?? this.#monitor.doubt;
    }
    return `There were no metrics to send: ${messageOf(lastProblem)}.`;
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
        log('warn', `Exemplars cannot be read: ${messageOf(error)}. mapscope sends metrics without them.`);
      }
      return [];
    }
  };
}
