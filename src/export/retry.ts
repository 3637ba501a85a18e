import { setTimeout as wait } from 'node:timers/promises';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { PushMetricExporter, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { retryDelayMillis } from './retry-info.ts';
import type { TemporalitySelector } from './temporality.ts';

/** An exporter that says which temporality it wants, as the official OTLP exporters do. */
export type OtlpMetricExporter = PushMetricExporter & { selectAggregationTemporality: TemporalitySelector };

/** What exporters of metrics and of log records have in common. */
export interface Exporter<Data> {
  export(data: Data, resultCallback: (result: ExportResult) => void): void;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

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

/** The policy of the official OTLP/HTTP exporter, except that only the timeout ends it. */
export const DEFAULT_RETRY: Omit<RetryPolicy, 'timeoutMillis'> = {
  initialDelayMillis: 1000,
  maxDelayMillis: 5000,
  factor: 1.5,
  jitter: 0.2,
};

/** gRPC status codes that OTLP allows to retry: CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS. */
const RETRYABLE = new Set([1, 4, 10, 11, 14, 15]);
const DEADLINE_EXCEEDED = 4;
const RESOURCE_EXHAUSTED = 8;

/** How a finished export went. */
export interface ExportReport<Data> {
  data: Data;
  /** Absent when it was delivered. */
  error?: Error;
  attempts: number;
}

/**
 * Tries failed exports again, which the official OTLP/gRPC exporters do not. An export ends when it is delivered, when
 * the error is final, or when its time is over; each end is reported once.
 */
export class RetryingExporter<Data> implements Exporter<Data> {
  readonly #inner: Exporter<Data>;
  readonly #policy: RetryPolicy;
  readonly #report: (report: ExportReport<Data>) => void;
  #hurry = new AbortController();
  #finishBy = Number.POSITIVE_INFINITY;

  constructor(inner: Exporter<Data>, policy: RetryPolicy, report: (report: ExportReport<Data>) => void) {
    this.#inner = inner;
    this.#policy = policy;
    this.#report = report;
  }

  export(data: Data, resultCallback: (result: ExportResult) => void): void {
    void this.#run(data).then(resultCallback);
  }

  /** Gives up an export that waits for its next attempt, and lets later ones last no longer than `finishBy` (ms). */
  hurry(finishBy: number): void {
    this.#finishBy = finishBy;
    this.#hurry.abort();
    this.#hurry = new AbortController();
  }

  forceFlush(): Promise<void> {
    return this.#inner.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.#inner.shutdown();
  }

  async #run(data: Data): Promise<ExportResult> {
    const deadline = Math.min(performance.now() + this.#policy.timeoutMillis, this.#finishBy);
    const hurry = this.#hurry.signal;
    let delay = this.#policy.initialDelayMillis;
    /** Why the last attempt failed that was not cut short: that says more. */
    let reason: Error | undefined;
    for (let attempts = 1; ; attempts++) {
      const result = await this.#attempt(data, deadline);
      if (result.code === ExportResultCode.SUCCESS) {
        this.#report({ data, attempts });
        return result;
      }
      const pause = this.#pause(result.error, delay);
      delay = Math.min(delay * this.#policy.factor, this.#policy.maxDelayMillis);
      // Timers may fire a moment early: an export whose time has run out does not start again on account of that.
      const expired = result.error instanceof DeadlineError;
      if (!expired) reason = result.error;
      const goOn = !expired && pause !== undefined && performance.now() + pause < deadline;
      if (!goOn || !(await waited(pause, hurry))) {
        const error = reason ?? result.error ?? new Error('the export failed for an unknown reason');
        this.#report({ data, error, attempts });
        return { code: ExportResultCode.FAILED, error };
      }
    }
  }

  /** One attempt, which ends at the deadline at the latest. */
  async #attempt(data: Data, deadline: number): Promise<ExportResult> {
    const { promise, resolve } = Promise.withResolvers<ExportResult>();
    const timer = setTimeout(
      () => resolve({ code: ExportResultCode.FAILED, error: new DeadlineError() }),
      Math.max(0, deadline - performance.now()),
    );
    try {
      this.#inner.export(data, resolve);
      return await promise;
    } catch (error) {
      return {
        code: ExportResultCode.FAILED,
        error: error instanceof Error ? error : new Error(String(error)),
      };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Milliseconds to wait before the next attempt; undefined when the error is final. */
  #pause(error: Error | undefined, delay: number): number | undefined {
    const code = statusCode(error);
    const asked = retryInfo(error);
    if (
      code === undefined ||
      !(RETRYABLE.has(code) || (code === RESOURCE_EXHAUSTED && asked !== undefined))
    ) {
      return undefined;
    }
    const spread = 1 + this.#policy.jitter * (2 * Math.random() - 1);
    return Math.max(delay * spread, asked ?? 0);
  }
}

/** The same for metrics, whose exporter also says which temporality it wants. */
export class RetryingMetricExporter extends RetryingExporter<ResourceMetrics> implements PushMetricExporter {
  readonly selectAggregationTemporality: TemporalitySelector;

  constructor(
    inner: OtlpMetricExporter,
    policy: RetryPolicy,
    report: (report: ExportReport<ResourceMetrics>) => void,
  ) {
    super(inner, policy, report);
    this.selectAggregationTemporality = (instrument) => inner.selectAggregationTemporality(instrument);
  }
}

class DeadlineError extends Error {
  readonly code = DEADLINE_EXCEEDED;
  override readonly message = 'it did not answer in time';
}

/** gRPC status code of an export's error. */
export function statusCode(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}

function retryInfo(error: unknown): number | undefined {
  if (!(error instanceof Error && 'metadata' in error)) {
    return undefined;
  }
  const { metadata } = error;
  if (typeof metadata !== 'object' || metadata === null || !('get' in metadata)) {
    return undefined;
  }
  const [details] = typeof metadata.get === 'function' ? metadata.get('grpc-status-details-bin') : [];
  return details instanceof Uint8Array ? retryDelayMillis(details) : undefined;
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
