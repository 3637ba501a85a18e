import { setTimeout as wait } from 'node:timers/promises';
import type { TruthPiece } from '../support/shop.ts';
import { type Jaeger, type JaegerSpan, SPAN_END_SLACK } from './jaeger.ts';
import type { Observed, ReceivedExemplar } from './observed.ts';

/*
 * What is right and what is wrong about an exemplar.
 *
 * Lookups of the shop's own code are in the truth: goroutine, source line, time. Right is an exemplar whose trace is that
 * of a piece of work which its goroutine did at its line at its time, and whose trace Jaeger has; the endpoint of the
 * line is then compared with that of all of the trace's work. Any other trace is wrong.
 *
 * Lookups of libraries (net/http, gRPC, the SDK) are not in the truth, so they are judged by what surrounds them. Right is
 * an exemplar with a trace that Jaeger has and that was under way at the time, from its first span's start to its
 * last one's end, unless the truth contradicts: its goroutine was between the first and the last piece of its work for
 * one span of another trace. Goroutines of which the truth knows nothing at that time can only be judged by the first part.
 */

/** In nanoseconds. All times are of the same clocks, put together anew each time that exemplars are read. */
const SLACK = 100_000n;

export interface Verdict {
  /** Exemplars of the shop's own lookups that lead to their trace, and those that name its right span as well. */
  ownRight: number;
  ownRightSpan: number;
  /** Likewise of libraries' lookups, which have no span to compare. */
  libraryRight: number;
  /** Traces that the lookup was not made for, or that are nowhere, with the reason. */
  readonly wrong: string[];
  /** No trace, although the lookup was made in one that is sampled. */
  readonly missing: string[];
  /** No trace, and rightly so; of libraries' lookups it is not known. */
  none: number;
  /** Lookups at a line of the shop that the truth has no piece for. */
  readonly untold: string[];
}

/** Exemplars that lead to the right trace, as a share of all that should lead to one. */
export function shareOf({ ownRight, libraryRight, wrong, missing, untold }: Verdict): number {
  const right = ownRight + libraryRight;
  return right / (right + wrong.length + missing.length + untold.length);
}

interface Known {
  readonly siteKeys: ReadonlySet<string>;
  readonly byGoroutine: ReadonlyMap<number, readonly TruthPiece[]>;
  readonly byTrace: ReadonlyMap<string, readonly TruthPiece[]>;
  readonly stored: ReadonlyMap<string, readonly JaegerSpan[]>;
}

/** How long a trace may take from Jaeger's receiver to its storage, in milliseconds. */
const STORED_MILLIS = 5000;

/** The spans that Jaeger has of each trace, once all have been sent to it. */
async function storedTraces(jaeger: Jaeger, ids: ReadonlySet<string>): Promise<Map<string, JaegerSpan[]>> {
  const stored = new Map<string, JaegerSpan[]>();
  const end = performance.now() + STORED_MILLIS;
  for (;;) {
    const missing = [...ids].filter((id) => !stored.has(id));
    for (const id of missing) {
      const trace = await jaeger.trace(id);
      if (trace !== undefined) {
        stored.set(id, trace);
      }
    }
    if (stored.size === ids.size || performance.now() > end) {
      return stored;
    }
    await wait(100);
  }
}

/** Compares each exemplar with the truth and with the traces in Jaeger, after all spans were sent to it. */
export async function judge(
  { exemplars, truth }: Pick<Observed, 'exemplars' | 'truth'>,
  jaeger: Jaeger,
): Promise<Verdict> {
  const known: Known = {
    siteKeys: new Set(truth.map(({ file, line }) => `${file}:${line}`)),
    byGoroutine: Map.groupBy(truth, ({ goroutine }) => goroutine),
    byTrace: Map.groupBy(truth, ({ traceId }) => traceId),
    stored: await storedTraces(jaeger, new Set(exemplars.map(({ traceId }) => traceId).filter(Boolean))),
  };
  const verdict: Verdict = {
    ownRight: 0,
    ownRightSpan: 0,
    libraryRight: 0,
    wrong: [],
    missing: [],
    none: 0,
    untold: [],
  };
  for (const exemplar of exemplars) {
    if (known.siteKeys.has(siteKey(exemplar))) {
      judgeOwn(verdict, exemplar, known);
    } else {
      judgeLibrary(verdict, exemplar, known);
    }
  }
  return verdict;
}

const siteKey = ({ point }: ReceivedExemplar) => `${point['code.file.path']}:${point['code.line.number']}`;

const goroutineOf = ({ filteredAttributes }: ReceivedExemplar) =>
  Number(filteredAttributes['gomap.goroutine.id']);

const within = (time: bigint, { start, end }: { start: bigint; end: bigint }) =>
  start - SLACK <= time && time <= end + SLACK;

function judgeOwn(verdict: Verdict, exemplar: ReceivedExemplar, known: Known): void {
  const { traceId, spanId, timeUnixNano } = exemplar;
  const pieces = (known.byGoroutine.get(goroutineOf(exemplar)) ?? []).filter(
    (piece) => `${piece.file}:${piece.line}` === siteKey(exemplar) && within(timeUnixNano, piece),
  );
  const [piece] = pieces;
  if (piece === undefined) {
    verdict.untold.push(shown(exemplar));
  } else if (traceId === '') {
    if (pieces.some((one) => one.traceId === '' || !one.sampled)) {
      verdict.none++;
    } else {
      verdict.missing.push(shown(exemplar));
    }
  } else if (!pieces.some((one) => one.traceId === traceId)) {
    verdict.wrong.push(`made for ${piece.traceId || 'no trace'}: ${shown(exemplar)}`);
  } else if (known.stored.get(traceId) === undefined) {
    verdict.wrong.push(`not in Jaeger: ${shown(exemplar)}`);
  } else if (!isOf(piece.endpoint, known.byTrace.get(traceId) ?? [], known.stored.get(traceId) ?? [])) {
    verdict.wrong.push(`the trace is not of ${piece.endpoint}: ${shown(exemplar)}`);
  } else {
    verdict.ownRight++;
    if (pieces.some((one) => one.spanId === spanId)) {
      verdict.ownRightSpan++;
    }
  }
}

/** All of the trace's work is of that endpoint, and so says the shop's span in Jaeger, if the shop has spans. */
function isOf(endpoint: string, work: readonly TruthPiece[], spans: readonly JaegerSpan[]): boolean {
  const own = spans.filter(({ service }) => service === 'shop');
  return (
    work.every((piece) => piece.endpoint === endpoint) &&
    (own.length === 0 || own.some(({ name }) => name === `GET ${endpoint}` || name === endpoint))
  );
}

function judgeLibrary(verdict: Verdict, exemplar: ReceivedExemplar, known: Known): void {
  const { traceId, timeUnixNano } = exemplar;
  if (traceId === '') {
    verdict.none++;
    return;
  }
  const spans = known.stored.get(traceId);
  const other = workedFor(known.byGoroutine.get(goroutineOf(exemplar)) ?? [], timeUnixNano);
  if (spans === undefined) {
    verdict.wrong.push(`not in Jaeger: ${shown(exemplar)}`);
  } else if (!isUnderWay(spans, timeUnixNano)) {
    verdict.wrong.push(`not under way at the time: ${shown(exemplar)}`);
  } else if (other !== undefined && other !== traceId) {
    verdict.wrong.push(`the goroutine worked for ${other}: ${shown(exemplar)}`);
  } else {
    verdict.libraryRight++;
  }
}

/** Between a trace's first start and its last end. */
function isUnderWay(spans: readonly JaegerSpan[], time: bigint): boolean {
  return (
    spans.some(({ startTimeUnixNano }) => startTimeUnixNano - SLACK <= time) &&
    spans.some(({ endTimeUnixNano }) => time <= endTimeUnixNano + SPAN_END_SLACK)
  );
}

/** The trace of the work that a goroutine was in the middle of: in a piece, or between two of one span. */
function workedFor(pieces: readonly TruthPiece[], time: bigint): string | undefined {
  const before = pieces.findLast(({ start }) => start + SLACK < time);
  const after = pieces.find(({ end }) => end - SLACK > time);
  const isSame = before !== undefined && before.traceId === after?.traceId && before.spanId === after.spanId;
  return isSame ? before.traceId : undefined;
}

function shown({
  metric,
  point,
  traceId,
  spanId,
  asDouble,
  timeUnixNano,
  filteredAttributes,
}: ReceivedExemplar) {
  const { 'code.function.name': name, 'code.line.number': line } = point;
  const attributes = JSON.stringify(filteredAttributes);
  return `${metric} ${asDouble} at ${name}:${line}, ${timeUnixNano}, trace ${traceId} span ${spanId} ${attributes}`;
}
