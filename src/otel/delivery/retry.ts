import { setTimeout as wait } from 'node:timers/promises';
import { callWithTimeout, type ExportResult, ExportResultCode, TimeoutError } from '@opentelemetry/core';
import type { PushMetricExporter, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { TemporalitySelector } from '../metrics/temporality.ts';
import type { MetricSender } from '../otlp/exporter.ts';
import type { PartialSuccess, Sender, SendResult } from '../otlp/sender.ts';
import { ExportFailure } from '../transport/failure.ts';

/** When and how often an export is tried again. */
export interface RetryPolicy {
  /** Milliseconds after which an export has failed, whatever is still to be tried. */
  timeoutMillis: number;
  initialDelayMillis: number;
  maxDelayMillis: number;
  /** Growth of the delay from one attempt to the next. */
  factor: number;
  /** Share of the delay by which it varies up and down, so that sidecars do not come back all at once. */
  jitter: number;
}

/** As the official OTLP/HTTP exporter, except that only the timeout ends it, and data is back sooner after an outage. */
export const DEFAULT_RETRY: Omit<RetryPolicy, 'timeoutMillis'> = {
  initialDelayMillis: 1000,
  maxDelayMillis: 2500,
  factor: 1.5,
  jitter: 0.2,
};

/** How a finished export went. */
export interface ExportReport<Data> {
  data: Data;
  /** Absent when it was delivered. */
  error?: Error;
  /** What the receiver did not take of what was delivered. */
  partial?: PartialSuccess;
  attempts: number;
}

/** What to do with exports besides sending them. */
export interface RetryOptions<Data> {
  policy: RetryPolicy;
  /** Called at each end of an export. */
  report: (report: ExportReport<Data>) => void;
  /** About so many pieces of what is too large for the receiver; undefined when it cannot be divided. */
  pieces: (data: Data, count: number) => readonly Data[] | undefined;
}

/** Share of the time of the end that an export which is under way then still has. */
const GRACE = 0.3;

/**
 * Tries failed exports again, and those that are too large in pieces. An export ends when it is delivered, when the error is
 * final, or when its time is over; each end is reported once.
 */
export class RetryingExporter<Data> {
  readonly #inner: Sender<Data>;
  readonly #options: RetryOptions<Data>;
  #hurry = new AbortController();
  #cut = new AbortController();
  #finishBy = Number.POSITIVE_INFINITY;
  #isFailing = false;

  constructor(inner: Sender<Data>, options: RetryOptions<Data>) {
    this.#inner = inner;
    this.#options = options;
  }

  export(data: Data, resultCallback: (result: ExportResult) => void): void {
    const deadline = Math.min(performance.now() + this.#options.policy.timeoutMillis, this.#finishBy);
    void this.#run(data, deadline).then(resultCallback);
  }

  /**
   * The end has come: gives up an export that waits for its next attempt, soon also one that is under way, and lets later ones last no
   * longer than `finishBy` (ms). After a failure they begin with a new connection, which owes nothing to the old one's waits.
   */
  hurry(finishBy: number): void {
    this.#finishBy = finishBy;
    this.#hurry.abort();
    this.#hurry = new AbortController();
    if (this.#isFailing) {
      this.#inner.renew();
    }
    const cut = this.#cut;
    setTimeout(() => cut.abort(), GRACE * Math.max(0, finishBy - performance.now())).unref();
    this.#cut = new AbortController();
  }

  forceFlush(): Promise<void> {
    return this.#inner.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.#inner.shutdown();
  }

  async #run(data: Data, deadline: number): Promise<ExportResult> {
    const hurry = this.#hurry.signal;
    const cut = this.#cut.signal;
    let delay = this.#options.policy.initialDelayMillis;
    /** Why the last attempt failed that was not cut short: that says more. */
    let reason: Error | undefined;
    for (let attempts = 1; ; attempts++) {
      const result = await this.#attempt(data, deadline, cut);
      this.#isFailing = result.code !== ExportResultCode.SUCCESS;
      if (!this.#isFailing) {
        const { partial } = result;
        this.#options.report({ data, attempts, ...(partial && { partial }) });
        return result;
      }
      const pieces = this.#piecesOf(data, result.error);
      if (pieces !== undefined) {
        return this.#runAll(pieces, deadline);
      }
      const pause = this.#pause(result.error, delay);
      delay = Math.min(delay * this.#options.policy.factor, this.#options.policy.maxDelayMillis);
      // Timers may fire a moment early: an export whose time has run out does not start again on account of that.
      const expired = result.error instanceof CutShortError;
      if (!expired) {
        reason = result.error;
      }
      const goOn = !expired && pause !== undefined && performance.now() + pause < deadline;
      if (!goOn || !(await waited(pause, hurry))) {
        const error = reason ?? result.error ?? new Error('the export failed for an unknown reason');
        this.#options.report({ data, error, attempts });
        return { code: ExportResultCode.FAILED, error };
      }
    }
  }

  #piecesOf(data: Data, error: Error | undefined): readonly Data[] | undefined {
    return error instanceof ExportFailure && error.kind === 'too large'
      ? this.#options.pieces(data, error.pieces)
      : undefined;
  }

  /** One after the other; the first failure is that of all. */
  async #runAll(pieces: readonly Data[], deadline: number): Promise<ExportResult> {
    let all: ExportResult = { code: ExportResultCode.SUCCESS };
    for (const piece of pieces) {
      const result = await this.#run(piece, deadline);
      all = all.code === ExportResultCode.SUCCESS ? result : all;
    }
    return all;
  }

  /** One attempt, which ends at the deadline at the latest, or soon after the end has come. */
  async #attempt(data: Data, deadline: number, cut: AbortSignal): Promise<SendResult> {
    const { promise, resolve, reject } = Promise.withResolvers<SendResult>();
    const onCut = (): void => reject(new CutShortError());
    cut.addEventListener('abort', onCut);
    try {
      this.#inner.export(data, resolve);
      return await callWithTimeout(promise, Math.max(0, deadline - performance.now()));
    } catch (error) {
      if (cut.aborted) {
        this.#inner.renew();
      }
      return { code: ExportResultCode.FAILED, error: failureOf(error) };
    } finally {
      cut.removeEventListener('abort', onCut);
    }
  }

  /** Milliseconds to wait before the next attempt; undefined when the error is final. */
  #pause(error: Error | undefined, delay: number): number | undefined {
    if (!(error instanceof ExportFailure && error.retryable)) {
      return undefined;
    }
    const spread = 1 + this.#options.policy.jitter * (2 * Math.random() - 1);
    return Math.max(delay * spread, error.retryAfterMillis ?? 0);
  }
}

/** The same for metrics, whose exporter also says which temporality it wants. */
export class RetryingMetricExporter extends RetryingExporter<ResourceMetrics> implements PushMetricExporter {
  readonly selectAggregationTemporality: TemporalitySelector;
  #isSuperseded = false;

  constructor(inner: MetricSender, options: RetryOptions<ResourceMetrics>) {
    super(inner, options);
    this.selectAggregationTemporality = (instrument) => inner.selectAggregationTemporality(instrument);
  }

  override export(data: ResourceMetrics, resultCallback: (result: ExportResult) => void): void {
    if (this.#isSuperseded) {
      resultCallback({ code: ExportResultCode.FAILED });
    } else {
      super.export(data, resultCallback);
    }
  }

  /** What is left of the collection that is being exported is not sent: the last one holds all of it, and comes first. */
  override hurry(finishBy: number): void {
    this.#isSuperseded = true;
    super.hurry(finishBy);
  }

  /** Metrics are collected: what is exported from here on is new. */
  beginCycle(): void {
    this.#isSuperseded = false;
  }
}

/** An attempt whose time was over before its end. */
class CutShortError extends ExportFailure {
  constructor() {
    super('timeout', 'it did not answer in time');
  }
}

function failureOf(error: unknown): Error {
  if (error instanceof TimeoutError) {
    return new CutShortError();
  }
  return error instanceof Error ? error : new Error(String(error));
}

/** Whether the whole pause went by; false when it was cut short. */
async function waited(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  try {
    await wait(milliseconds, undefined, { signal });
    return true;
  } catch {
    return false;
  }
}
