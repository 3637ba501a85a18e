import type { ExportRequestMessage } from './messages.ts';
import type { ReceiverOptions, Refusal } from './receiver.ts';
import { type ReceivedSummary, ReceiverSummary } from './summary.ts';

/** What a receiver has taken, by whichever protocol, and who waits for more. */
export class Received {
  readonly #options: ReceiverOptions;
  readonly #summary: ReceiverSummary;
  readonly #waiting = new Set<() => void>();
  #requests = 0;

  constructor(options: ReceiverOptions) {
    this.#summary = options.summary ?? new ReceiverSummary();
    this.#options = options;
  }

  /** Takes a request, unless it is to be refused. */
  async take(request: ExportRequestMessage, headers: Readonly<Record<string, unknown>>): Promise<Refusal> {
    this.#options.onRequest?.(request, headers);
    const refusal = await this.#options.refuse?.(++this.#requests);
    if (refusal === undefined) {
      this.#summary.add(request);
      await this.#options.taken?.(request);
    }
    return refusal;
  }

  /** To be called after each answer. */
  look(): void {
    for (const look of [...this.#waiting]) {
      look();
    }
  }

  summary(): ReceivedSummary {
    return this.#summary.summary();
  }

  /** Throws when something was taken that no sender may send, see invariants.ts. */
  check(): void {
    const { broken } = this.#summary;
    if (broken.length > 0) {
      throw new Error(`${broken.length} broken invariants: ${broken.slice(0, 5).join('; ')}`);
    }
  }

  until(condition: (summary: ReceivedSummary) => boolean): Promise<ReceivedSummary> {
    const { promise, resolve, reject } = Promise.withResolvers<ReceivedSummary>();
    const look = (): void => {
      try {
        const summary = this.summary();
        if (condition(summary)) {
          this.#waiting.delete(look);
          resolve(summary);
        }
      } catch (error) {
        this.#waiting.delete(look);
        reject(error);
      }
    };
    this.#waiting.add(look);
    look();
    return promise;
  }
}
