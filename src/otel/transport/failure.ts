/** Why a request failed, in the terms of both protocols. */
export type FailureKind =
  | 'unreachable'
  | 'timeout'
  | 'too large'
  | 'exhausted'
  | 'invalid'
  | 'permission'
  | 'credentials'
  | 'unimplemented'
  /** What answers is no receiver of this protocol: the detail is a whole reason. */
  | 'misdirected'
  | 'other';

/** Such failures pass, or may: the same request can be sent again. */
const PASSING: ReadonlySet<FailureKind> = new Set(['unreachable', 'timeout']);

interface FailureOptions {
  /** Whether the same request may be sent again; by default as the kind is. */
  readonly retryable?: boolean;
  /** Milliseconds that the receiver asks to wait before that. */
  readonly retryAfterMillis?: number | undefined;
  /** In how many pieces it may be small enough. */
  readonly pieces?: number;
  /** It was sent, and nobody said what became of it; by default it was not, or was refused. */
  readonly mayHaveArrived?: boolean;
}

/** A request that failed; the message is the detail, in the receiver's or the system's words. */
export class ExportFailure extends Error {
  readonly kind: FailureKind;
  readonly retryable: boolean;
  readonly retryAfterMillis: number | undefined;
  readonly pieces: number;
  /** Whether the receiver may have taken it all the same: it was sent, and then the connection or the time ended before an answer. */
  readonly mayHaveArrived: boolean;

  constructor(kind: FailureKind, detail: string, options: FailureOptions = {}) {
    super(detail);
    this.kind = kind;
    this.retryable = options.retryable ?? PASSING.has(kind);
    this.retryAfterMillis = options.retryAfterMillis;
    this.pieces = options.pieces ?? 2;
    this.mayHaveArrived = options.mayHaveArrived ?? false;
  }
}

/** Whether a receiver's words say that a request has too many bytes: no two of them say it by the same code. */
export function saysTooLarge(words: string): boolean {
  return /larger than (?:the )?max|exceeds? (?:the )?max|too large|message length|size limit/i.test(words);
}
