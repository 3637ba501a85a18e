import type { IncomingHttpHeaders } from 'node:http';
import protobuf from 'protobufjs/minimal.js';
import { messageOf } from '../../base/errors.ts';
import { printable } from '../../base/text.ts';
import { ExportFailure, type FailureKind, saysTooLarge } from './failure.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/** Statuses that say something of their own. */
const KINDS: Readonly<Record<number, FailureKind>> = {
  400: 'invalid',
  401: 'credentials',
  403: 'permission',
  404: 'unimplemented',
  405: 'unimplemented',
  408: 'timeout',
  413: 'too large',
  415: 'unimplemented',
  429: 'exhausted',
  502: 'unreachable',
  503: 'unreachable',
  504: 'timeout',
};

/** Those that OTLP allows to retry. */
const RETRYABLE = new Set([429, 502, 503, 504]);

/** Characters of a receiver's own words. */
const MOST_WORDS = 200;

/** What an answer means; undefined when it is none of failure. */
export function httpFailure({ status, text, headers, body }: HttpAnswer): ExportFailure | undefined {
  if (status >= 200 && status < 300) {
    return undefined;
  }
  const words = wordsOf(headers['content-type'] ?? '', body);
  const location = headers.location === undefined ? '' : `, which points to ${headers.location}`;
  const detail = printable(`HTTP ${status} ${text}${location}${words === '' ? '' : `: ${words}`}`);
  return new ExportFailure(kindOf(status, words), detail, {
    retryable: RETRYABLE.has(status),
    retryAfterMillis: retryAfter(headers['retry-after']),
  });
}

/** What servers of Go's say with a general status has a meaning of its own. */
function kindOf(status: number, words: string): FailureKind {
  if (status === 400 && saysTooLarge(words)) {
    return 'too large';
  }
  return /HTTP request to an HTTPS server/.test(words) ? 'other' : (KINDS[status] ?? 'other');
}

/**
 * What a request means that got no answer.
 *
 * @param mayHaveArrived whether it had got a connection
 */
export function requestFailure(error: unknown, mayHaveArrived: boolean): ExportFailure {
  const name = error instanceof Error ? error.name : '';
  if (name === 'AbortError' || name === 'TimeoutError') {
    return new ExportFailure('timeout', 'it did not answer in time', { mayHaveArrived });
  }
  // All that a system says of connections passes or is mended sooner or later, certificates included.
  const detail = messageOf(error) || String((error as { code?: unknown }).code);
  return new ExportFailure('unreachable', detail, { mayHaveArrived });
}

/** google.rpc.Status in protobuf has its message in field 2; others answer in plain text or JSON. */
function wordsOf(type: string, body: Uint8Array): string {
  const text = /protobuf/.test(type) ? statusMessage(body) : Buffer.from(body).toString('utf8');
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > MOST_WORDS ? `${line.slice(0, MOST_WORDS)}...` : line;
}

function statusMessage(body: Uint8Array): string {
  const reader = protobuf.Reader.create(body);
  try {
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag === ((2 << 3) | 2)) {
        return reader.string();
      }
      reader.skipType(tag & 7);
    }
  } catch {
    // Not what its type says.
  }
  return '';
}

/** Seconds, or a date. */
function retryAfter(value: string | undefined): number | undefined {
  if (value === undefined) {
    return undefined;
  }
  const seconds = Number(value);
  const millis = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
  return Number.isNaN(millis) ? undefined : Math.max(0, millis);
}
