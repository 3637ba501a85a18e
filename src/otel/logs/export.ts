import { type Context, type Logger, trace } from '@opentelemetry/api';
import { ExportResultCode } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import {
  BatchLogRecordProcessor,
  LoggerProvider,
  type LogRecordExporter,
  type ReadableLogRecord,
  type ReadWriteLogRecord,
} from '@opentelemetry/sdk-logs';
import type { Log } from '../../base/log.ts';
import { VERSION } from '../../base/version.ts';
import type { Spike } from '../../model/spike.ts';
import type { Target } from '../../model/target.ts';
import { SCOPES } from '../contract/metrics.ts';
import { SCHEMA_URL } from '../contract/semconv.ts';
import { forwardDiagnostics } from '../delivery/diagnostics.ts';
import {
  ANSWER_MILLIS,
  DeliveryMonitor,
  type DeliveryResult,
  endsWithin,
  FLUSH_MILLIS,
  type Freight,
} from '../delivery/monitor.ts';
import { piecesOf } from '../delivery/pieces.ts';
import { DEFAULT_RETRY, RetryingExporter, type RetryPolicy } from '../delivery/retry.ts';
import { createLogSender } from '../otlp/exporter.ts';
import type { LogsSettings } from '../settings/logs-settings.ts';
import { spikeRecord } from './spike-record.ts';

export interface SpikeExportOptions {
  settings: LogsSettings;
  mapImplementation: Target['mapImplementation'];
  /** Describes the target, see resource.ts. */
  resource: Resource;
  log: Log;
  retry?: Partial<RetryPolicy>;
}

const SPIKES: Freight<ReadableLogRecord[]> = {
  name: 'Spike events',
  items: 'events',
  itemsOf: (records) => records.length,
};

/** Tells of spikes over OTLP, as log records. It never throws and never ends the process. */
export class SpikeExport {
  readonly endpoint: string;
  readonly #implementation: Target['mapImplementation'];
  readonly #logger: Logger;
  readonly #provider: LoggerProvider;
  readonly #exporter: RetryingExporter<ReadableLogRecord[]>;
  readonly #monitor: DeliveryMonitor<ReadableLogRecord[]>;
  readonly #mostWaiting: number;
  #waiting = 0;
  #lost = 0;
  /** Why the first failed export of the shutdown failed; those after it may just have had no time left. */
  #failure: Error | undefined;

  constructor({ settings, mapImplementation, resource, log, retry }: SpikeExportOptions) {
    this.endpoint = settings.endpoint.shown;
    this.#mostWaiting = settings.mostWaiting;
    this.#implementation = mapImplementation;
    forwardDiagnostics(log);
    const monitor = new DeliveryMonitor(SPIKES, settings.endpoint, log);
    this.#monitor = monitor;
    const policy = {
      ...DEFAULT_RETRY,
      timeoutMillis: Math.max(1, settings.timeoutMillis - ANSWER_MILLIS),
      ...retry,
    };
    this.#exporter = new RetryingExporter(createLogSender(settings.endpoint), {
      policy,
      pieces: piecesOf,
      // A spike that is told twice is better than one that is never told.
      isRepeatable: () => true,
      report: (report) => {
        const { data, error, partial } = report;
        monitor.record(report);
        this.#waiting -= data.length;
        this.#lost += error === undefined ? (partial?.rejected ?? 0) : data.length;
        this.#failure ??= error;
      },
    });
    this.#provider = new LoggerProvider({
      resource,
      logRecordLimits: settings.limits,
      processors: [
        new SpikeProcessor({
          exporter: reportedElsewhere(this.#exporter),
          maxQueueSize: settings.mostWaiting,
          maxExportBatchSize: settings.perRequest,
          scheduledDelayMillis: settings.delayMillis,
          exportTimeoutMillis: settings.timeoutMillis,
        }),
      ],
    });
    this.#logger = this.#provider.getLogger(SCOPES.maps, VERSION, { schemaUrl: SCHEMA_URL });
  }

  /** Spikes that a receiver has accepted. */
  get delivered(): number {
    return this.#monitor.totals.items;
  }

  /** Spikes given up: not accepted in time, or too many at once. */
  get undelivered(): number {
    return this.#lost;
  }

  /** Sends the spikes within seconds. */
  send(spikes: readonly Spike[]): void {
    for (const spike of spikes) {
      // The processor would drop it too, without a word.
      if (this.#waiting >= this.#mostWaiting) {
        this.#lost++;
      } else {
        this.#waiting++;
        this.#logger.emit(spikeRecord(spike, this.#implementation));
      }
    }
  }

  /** Sends what is left and ends, in at most `timeoutMillis`. */
  async shutdown(timeoutMillis = FLUSH_MILLIS): Promise<DeliveryResult> {
    this.#monitor.end();
    this.#monitor.beginCycle();
    this.#failure = undefined;
    this.#exporter.hurry(performance.now() + timeoutMillis - ANSWER_MILLIS);
    const inTime = await endsWithin(this.#provider.shutdown(), timeoutMillis);
    const { items } = this.#monitor.cycle;
    const failure = this.#failure;
    this.#lost += this.#waiting;
    this.#waiting = 0;
    const problem =
      failure !== undefined
        ? `${this.#monitor.describe(failure)}.`
        : `${this.#monitor.undelivered}: no answer within ${timeoutMillis} ms.`;
    const delivered = inTime && failure === undefined;
    return { delivered, items, ...(!delivered && { problem }) };
  }
}

/** The SDK leaves a trace id out that comes without a span id. Labels may hold just that. */
class SpikeProcessor extends BatchLogRecordProcessor {
  override onEmit(record: ReadWriteLogRecord, context?: Context): void {
    const spanContext = context && trace.getSpanContext(context);
    if (spanContext !== undefined) {
      record.spanContext = spanContext;
    }
    super.onEmit(record);
  }
}

/** The retrying exporter has reported failures; the processor would say them once more, in its own words. */
function reportedElsewhere(exporter: RetryingExporter<ReadableLogRecord[]>): LogRecordExporter {
  return {
    export: (records, callback) =>
      exporter.export(records, () => callback({ code: ExportResultCode.SUCCESS })),
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  };
}
