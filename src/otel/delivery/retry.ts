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
  /** It may have arrived although nobody said so, and is not to be sent again. */
  isUncertain?: boolean;
  attempts: number;
}

/** What to do with exports besides sending them. */
export interface RetryOptions<Data> {
  policy: RetryPolicy;
  /** Called at each end of an export. */
  report: (report: ExportReport<Data>) => void;
  /** About so many pieces of what is too large for the receiver; undefined when it cannot be divided. */
  pieces: (data: Data, count: number) => readonly Data[] | undefined;
  /** Whether it does no harm when a receiver takes the same twice. What would is not sent again when it may have arrived. */
  isRepeatable: (data: Data) => boolean;
}

/** What ends exports that are under way. */
interface Limits {
  /** By performance.now(). */
  readonly deadline: number;
  /** Pauses end at once. */
  readonly hurry: AbortSignal;
  /** Attempts end at once. */
  readonly cut: AbortSignal;
}

/** Milliseconds in which an attempt that was ended tells whether it was sent. */
const LAST_WORD_MILLIS = 50;

/** Share of the time of the end that an export which is under way then still has. */
const GRACE = 0.3;

/**
 * Tries failed exports again, and those that are too large in pieces. An export ends when it is delivered, when the error is
 * final, or when its time is over; each end is reported once, and nothing of it is under way any more then.
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
    const limits = { deadline, hurry: this.#hurry.signal, cut: this.#cut.signal };
    void this.#run(data, limits).then(resultCallback);
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

  async #run(data: Data, limits: Limits): Promise<ExportResult> {
    let delay = this.#options.policy.initialDelayMillis;
    /** Why the last attempt failed that was not cut short: that says more. */
    let reason: Error | undefined;
    for (let attempts = 1; ; attempts++) {
      const result = await this.#attempt(data, limits);
      this.#isFailing = result.code !== ExportResultCode.SUCCESS;
      if (!this.#isFailing) {
        const { partial } = result;
        this.#options.report({ data, attempts, ...(partial && { partial }) });
        return result;
      }
      const pieces = this.#piecesOf(data, result.error);
      if (pieces !== undefined) {
        return this.#runAll(pieces, limits);
      }
      const isUncertain = mayHaveArrived(result.error) && !this.#options.isRepeatable(data);
      const pause = isUncertain ? undefined : this.#pause(result.error, delay);
      delay = Math.min(delay * this.#options.policy.factor, this.#options.policy.maxDelayMillis);
      // Timers may fire a moment early: an export whose time has run out does not start again on account of that.
      const expired = result.error instanceof CutShortError;
      if (!expired) {
        reason = result.error;
      }
      const goOn = !expired && pause !== undefined && performance.now() + pause < limits.deadline;
      if (!goOn || !(await waited(pause, limits.hurry))) {
        const error = reason ?? result.error ?? new Error('the export failed for an unknown reason');
        this.#options.report({ data, error, attempts, ...(isUncertain && { isUncertain }) });
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
  async #runAll(pieces: readonly Data[], limits: Limits): Promise<ExportResult> {
    let all: ExportResult = { code: ExportResultCode.SUCCESS };
    for (const piece of pieces) {
      const result = await this.#run(piece, limits);
      all = all.code === ExportResultCode.SUCCESS ? result : all;
    }
    return all;
  }

  /** One attempt, which ends at the deadline at the latest, or soon after the end has come. None begins later. */
  async #attempt(data: Data, { deadline, cut }: Limits): Promise<SendResult> {
    const left = deadline - performance.now();
    if (left <= 0 || cut.aborted) {
      return failed(new CutShortError(false));
    }
    const { promise, resolve } = Promise.withResolvers<SendResult>();
    const { promise: isCut, reject } = Promise.withResolvers<never>();
    const onCut = (): void => reject(new TimeoutError());
    cut.addEventListener('abort', onCut);
    try {
      this.#inner.export(data, resolve);
      return await callWithTimeout(Promise.race([promise, isCut]), left);
    } catch (error) {
      return error instanceof TimeoutError ? await this.#cutShort(promise) : failed(error);
    } finally {
      cut.removeEventListener('abort', onCut);
    }
  }

  /** Ends an attempt, which may have been delivered at the last moment. */
  async #cutShort(attempt: Promise<SendResult>): Promise<SendResult> {
    this.#inner.renew();
    const last = await callWithTimeout(attempt, LAST_WORD_MILLIS).catch(() => undefined);
    if (last?.code === ExportResultCode.SUCCESS) {
      return last;
    }
    return failed(new CutShortError(last === undefined || mayHaveArrived(last.error)));
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
  constructor(arrived: boolean) {
    super('timeout', 'it did not answer in time', { mayHaveArrived: arrived });
  }
}

function mayHaveArrived(error: Error | undefined): boolean {
  return error instanceof ExportFailure && error.mayHaveArrived;
}

function failed(error: unknown): SendResult {
  return {
    code: ExportResultCode.FAILED,
    error: error instanceof Error ? error : new Error(String(error)),
  };
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
