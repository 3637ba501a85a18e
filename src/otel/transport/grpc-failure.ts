import { messageOf } from '../../base/errors.ts';
import { ExportFailure, type FailureKind, saysTooLarge } from './failure.ts';
import { retryDelayMillis } from './retry-info.ts';

/** gRPC's status codes, as far as they mean something here. */
const KINDS: Readonly<Record<number, FailureKind>> = {
  3: 'invalid',
  4: 'timeout',
  7: 'permission',
  8: 'exhausted',
  12: 'unimplemented',
  14: 'unreachable',
  16: 'credentials',
};

/** Those that OTLP allows to retry: CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS. */
const RETRYABLE = new Set([1, 4, 10, 11, 14, 15]);
const OUT_OF_RANGE = 11;
const RESOURCE_EXHAUSTED = 8;

/** What grpc-js says of an answer that comes from a proxy in HTTP alone. */
const HTTP_STATUS = /^Received HTTP status code \d/;

/**
 * What a failed call means.
 *
 * @param isSent whether it had got a connection
 */
export function grpcFailure(error: unknown, isSent = false): ExportFailure {
  const code = statusCode(error);
  const detail = detailOf(error);
  if ((code === RESOURCE_EXHAUSTED || code === OUT_OF_RANGE) && saysTooLarge(detail)) {
    return new ExportFailure('too large', detail);
  }
  const retryAfterMillis = retryInfo(error);
  const isInvited = code === RESOURCE_EXHAUSTED && retryAfterMillis !== undefined;
  return new ExportFailure(KINDS[code ?? -1] ?? 'other', detail, {
    retryable: code !== undefined && (RETRYABLE.has(code) || isInvited),
    retryAfterMillis,
    mayHaveArrived: isSent && !isAnswered(error, detail),
  });
}

/** A status that comes from the other side has headers or trailers around it, and one that grpc-js makes up has none. */
function isAnswered(error: unknown, detail: string): boolean {
  const metadata = error instanceof Error && 'metadata' in error ? error.metadata : undefined;
  const map = metadata instanceof Object && 'toJSON' in metadata ? metadata.toJSON : undefined;
  const fields: unknown = typeof map === 'function' ? map.call(metadata) : {};
  return Object.keys(fields ?? {}).length > 0 || HTTP_STATUS.test(detail);
}

function statusCode(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}

/** The error's own words, without what gRPC wraps around them. */
function detailOf(error: unknown): string {
  return (
    messageOf(error)
      .replace(/^\d+ [A-Z_]+: /, '')
      .replace(/^No connection established\. Last error: (Error: )?/, '')
      .replace(/\.?\s*Resolution note:\s*$/, '')
      // The time of a failure is no news, and would make a new failure of each.
      .replace(/ \(\d{4}-\d\d-\d\dT[^)]*\)$/, '')
  );
}

/** Milliseconds after which an overloaded server wants to be asked again; undefined when it does not say so. */
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
