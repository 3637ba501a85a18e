import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { emptyResource } from '@opentelemetry/resources';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { metricPieces } from '../../src/otel/delivery/pieces.ts';
import {
  DEFAULT_RETRY,
  type ExportReport,
  RetryingMetricExporter,
  type RetryPolicy,
} from '../../src/otel/delivery/retry.ts';
import type { MetricSender } from '../../src/otel/otlp/exporter.ts';
import { ExportFailure } from '../../src/otel/transport/failure.ts';
import { grpcFailure } from '../../src/otel/transport/grpc-failure.ts';
import { CUMULATIVE } from './collect.ts';

const METRICS: ResourceMetrics = { resource: emptyResource(), scopeMetrics: [] };
const FAST: RetryPolicy = {
  timeoutMillis: 10_000,
  initialDelayMillis: 1,
  maxDelayMillis: 2,
  factor: 1.5,
  jitter: 0.2,
};

type Answer = ExportResult | 'throw' | 'silence';

interface More {
  readonly isRepeatable?: boolean;
  /** What an attempt that is ended says of itself. */
  readonly lastWord?: Answer;
}

/** An error as gRPC gives it. */
function grpcError(code: number, details?: Uint8Array): Error {
  const metadata = {
    get: (name: string) => (name === 'grpc-status-details-bin' && details ? [details] : []),
  };
  return grpcFailure(Object.assign(new Error(`status ${code}`), { code, metadata }));
}

const failure = (code: number, details?: Uint8Array): Answer => ({
  code: ExportResultCode.FAILED,
  error: grpcError(code, details),
});
const SUCCESS: Answer = { code: ExportResultCode.SUCCESS };

/** Exports once through an exporter that gives these answers, the last one again and again. */
function exportWith(answers: Answer[], policy: Partial<RetryPolicy> = {}, more: More = {}) {
  const reports: ExportReport<ResourceMetrics>[] = [];
  /** When each attempt began. */
  const times: number[] = [];
  const attempted: (() => void)[] = [];
  let ended = (): void => {};
  const inner: MetricSender = {
    selectAggregationTemporality: CUMULATIVE,
    export: (_metrics, callback) => {
      const answer = answers[Math.min(times.length, answers.length - 1)];
      times.push(performance.now());
      for (const tell of attempted.splice(0)) {
        tell();
      }
      if (answer === 'throw') {
        throw new Error('cannot be serialized');
      }
      if (answer !== undefined && answer !== 'silence') {
        callback(answer);
      }
      ended = () => {
        if (more.lastWord !== undefined && typeof more.lastWord !== 'string') {
          callback(more.lastWord);
        }
      };
    },
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
    renew: () => ended(),
  };
  const exporter = new RetryingMetricExporter(inner, {
    policy: { ...FAST, ...policy },
    pieces: metricPieces,
    isRepeatable: () => more.isRepeatable ?? true,
    report: (report) => reports.push(report),
  });
  const start = () => new Promise<ExportResult>((resolve) => exporter.export(METRICS, resolve));
  const nextAttempt = () => new Promise<void>((resolve) => attempted.push(resolve));
  return { exporter, reports, start, times, attempts: () => times.length, nextAttempt };
}

for (const code of [1, 4, 10, 11, 14, 15]) {
  test(`status ${code} is tried again until it is delivered`, async () => {
    const { start, reports, attempts } = exportWith([failure(code), failure(code), failure(code), SUCCESS]);
    assert.equal((await start()).code, ExportResultCode.SUCCESS);
    assert.equal(attempts(), 4);
    assert.deepEqual(reports, [{ data: METRICS, attempts: 4 }]);
  });
}

for (const code of [2, 3, 5, 6, 7, 8, 9, 12, 13, 16]) {
  test(`status ${code} is final`, async () => {
    const { start, reports, attempts } = exportWith([failure(code), SUCCESS]);
    const result = await start();
    assert.equal(result.code, ExportResultCode.FAILED);
    assert.equal(result.error?.message, `status ${code}`);
    assert.equal(attempts(), 1);
    assert.equal(reports.length, 1);
    assert.equal(reports[0]?.error?.message, `status ${code}`);
  });
}

/** google.rpc.Status with a RetryInfo of the given whole seconds. */
function retryInfo(seconds: number): Uint8Array {
  const field = (number: number, bytes: Uint8Array): Uint8Array =>
    Uint8Array.of((number << 3) | 2, bytes.length, ...bytes);
  const duration = Uint8Array.of(0x08, seconds);
  const url = new TextEncoder().encode('type.googleapis.com/google.rpc.RetryInfo');
  return field(3, Uint8Array.of(...field(1, url), ...field(2, field(1, duration))));
}

test('RESOURCE_EXHAUSTED is tried again when the server invites to', async () => {
  const { start, attempts } = exportWith([failure(8, retryInfo(0)), SUCCESS]);
  assert.equal((await start()).code, ExportResultCode.SUCCESS);
  assert.equal(attempts(), 2);
});

test('a delay that the server asks for and that does not fit into the time ends the export at once', async () => {
  const { start, attempts } = exportWith([failure(8, retryInfo(100)), SUCCESS]);
  assert.equal((await start()).code, ExportResultCode.FAILED);
  assert.equal(attempts(), 1);
});

test('the time of an export ends its retries, with the last error', async () => {
  const { start, reports, attempts } = exportWith([failure(14)], { timeoutMillis: 50 });
  const result = await start();
  assert.equal(result.error?.message, 'status 14');
  assert.ok(attempts() > 1);
  assert.equal(reports.length, 1);
  assert.equal(reports[0]?.attempts, attempts());
});

test('an attempt without an answer ends with the time of the export', async () => {
  const { start, attempts } = exportWith(['silence'], { timeoutMillis: 20 });
  const result = await start();
  assert.equal(result.code, ExportResultCode.FAILED);
  assert.match(String(result.error), /did not answer in time/);
  assert.equal(attempts(), 1);
});

/** Sent, and never answered. */
const UNANSWERED: Answer = {
  code: ExportResultCode.FAILED,
  error: new ExportFailure('unreachable', 'Connection dropped', { mayHaveArrived: true }),
};

test('what may have arrived is sent again, unless it would count twice', async () => {
  const repeatable = exportWith([UNANSWERED, SUCCESS]);
  assert.equal((await repeatable.start()).code, ExportResultCode.SUCCESS);
  assert.equal(repeatable.attempts(), 2);

  const once = exportWith([failure(14), UNANSWERED, SUCCESS], {}, { isRepeatable: false });
  assert.equal((await once.start()).code, ExportResultCode.FAILED);
  assert.equal(once.attempts(), 2);
  assert.deepEqual(
    once.reports.map(({ isUncertain }) => isUncertain),
    [true],
  );
});

for (const [name, lastWord, isUncertain] of [
  ['says nothing', undefined, true],
  ['was sent', UNANSWERED, true],
  ['was not sent', failure(1), undefined],
] as const) {
  test(`an attempt without an answer is ended: one that then ${name}`, async () => {
    const more = { isRepeatable: false, ...(lastWord && { lastWord }) };
    const { start, attempts, reports } = exportWith(['silence'], { timeoutMillis: 20 }, more);
    assert.match(String((await start()).error), /did not answer in time/);
    assert.equal(attempts(), 1);
    assert.equal(reports[0]?.isUncertain, isUncertain);
  });
}

test('an attempt that is delivered while it is ended is delivered', async () => {
  const { start, reports } = exportWith(['silence'], { timeoutMillis: 20 }, { lastWord: SUCCESS });
  assert.equal((await start()).code, ExportResultCode.SUCCESS);
  assert.deepEqual(reports, [{ data: METRICS, attempts: 1 }]);
});

test('no attempt begins when the time is over', async () => {
  const { exporter, start, attempts } = exportWith([SUCCESS]);
  exporter.hurry(performance.now() - 1);
  exporter.beginCycle();
  assert.equal((await start()).code, ExportResultCode.FAILED);
  assert.equal(attempts(), 0);
});

test('an exporter that throws has failed', async () => {
  const { start } = exportWith(['throw']);
  assert.match(String((await start()).error), /cannot be serialized/);
});

test('hurry gives up the pause before the next attempt, and bounds later exports', async () => {
  const waiting = exportWith([failure(14)], {
    initialDelayMillis: 60_000,
    maxDelayMillis: 60_000,
    timeoutMillis: 600_000,
  });
  const attempted = waiting.nextAttempt();
  const result = waiting.start();
  await attempted;
  // The pause begins in the same turn of the event loop in which the answer is handled.
  await new Promise(setImmediate);
  waiting.exporter.hurry(performance.now());
  assert.equal((await result).error?.message, 'status 14');

  const later = exportWith(['silence'], { timeoutMillis: 600_000 });
  later.exporter.hurry(performance.now() + 20);
  later.exporter.beginCycle();
  assert.match(String((await later.start()).error), /did not answer in time/);
});

test('pauses grow up to their bound and vary by the jitter', async () => {
  const { start, times } = exportWith([failure(14), failure(14), failure(14), failure(14), SUCCESS], {
    initialDelayMillis: 20,
    maxDelayMillis: 40,
    factor: 2,
    jitter: 0.25,
  });
  await start();
  const pauses = times.slice(1).map((time, index) => time - (times[index] ?? time));
  // Timers may be late but are never early, give or take a millisecond of rounding.
  [15, 30, 30, 30].forEach((least, index) => {
    assert.ok((pauses[index] ?? 0) >= least - 1, `pauses of ${pauses} ms`);
  });
});

test('what was collected before the end has come is not sent any more: the last collection has it, and comes first', async () => {
  const { exporter, start, attempts, reports } = exportWith([SUCCESS]);
  exporter.hurry(performance.now() + 10_000);
  assert.equal((await start()).code, ExportResultCode.FAILED);
  assert.deepEqual([attempts(), reports.length], [0, 0]);
  exporter.beginCycle();
  assert.equal((await start()).code, ExportResultCode.SUCCESS);
});

test('an export that is under way has a part of the time of the end, not all of it', async () => {
  const { exporter, start, nextAttempt } = exportWith(['silence'], { timeoutMillis: 600_000 });
  const attempted = nextAttempt();
  const result = start();
  await attempted;
  const began = performance.now();
  exporter.hurry(began + 1000);
  assert.match(String((await result).error), /did not answer in time/);
  assert.ok(performance.now() - began < 900);
});

test('the default policy is that of the official OTLP/HTTP exporter, but with shorter pauses', () => {
  assert.deepEqual(DEFAULT_RETRY, {
    initialDelayMillis: 1000,
    maxDelayMillis: 2500,
    factor: 1.5,
    jitter: 0.2,
  });
});
