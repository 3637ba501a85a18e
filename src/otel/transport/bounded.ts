import type { ExportResponse } from '@opentelemetry/otlp-exporter-base';
import { ExportFailure } from './failure.ts';
import type { Transport } from './transport.ts';

/** What OpenTelemetry's Collector and all of gRPC take by default. */
const USUAL_MOST_BYTES = 4 * 1024 * 1024;

/** The limit that is tried after a request was too large, as a share of it: halves are seldom quite equal. */
const NEXT = 0.6;

/** The same of pieces that are to be below a limit. */
const FULL = 0.9;

/** Sends nothing that a receiver would refuse for its size: what that is it learns from what was refused. */
export class BoundedTransport implements Transport {
  readonly #inner: Transport;
  #mostBytes = USUAL_MOST_BYTES;

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  async send(data: Uint8Array, timeoutMillis: number): Promise<ExportResponse> {
    if (data.length > this.#mostBytes) {
      const detail = `${data.length} bytes, of which it takes ${this.#mostBytes} at most`;
      const pieces = Math.ceil(data.length / (this.#mostBytes * FULL));
      return { status: 'failure', error: new ExportFailure('too large', detail, { pieces }) };
    }
    const answer = await this.#inner.send(data, timeoutMillis);
    if (
      answer.status === 'failure' &&
      answer.error instanceof ExportFailure &&
      answer.error.kind === 'too large'
    ) {
      this.#mostBytes = Math.floor(data.length * NEXT);
    }
    return answer;
  }

  renew(): void {
    this.#inner.renew();
  }

  shutdown(): void {
    this.#inner.shutdown();
  }
}
