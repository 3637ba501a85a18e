import type { ExportRequestMessage } from '../support/otlp-receiver/messages.ts';
import type { Receiver, ReceiverOptions, Refusal } from '../support/otlp-receiver/receiver.ts';
import { type ReceivedSummary, ReceiverSummary } from '../support/otlp-receiver/summary.ts';

const INVALID_ARGUMENT = 3;
const UNAVAILABLE = 14;
/** A request of 40 call sites has some 40 kB. */
const SMALL = 12_000;

/** What a receiver does while an export is tried. */
export const BEHAVIOURS = [
  'takes',
  'refuses',
  'is busy',
  'is restarted',
  'is away',
  'takes, and dies before it answers',
  'dies before it takes',
] as const;

export type Behaviour = (typeof BEHAVIOURS)[number] | 'takes, and never answers';

/** A receiver that can be taken away and brought back at the same port; what it received is kept. */
export class RestartableReceiver {
  readonly #start: (options: ReceiverOptions) => Promise<Receiver>;
  readonly #received: ReceivedSummary[] = [];
  readonly #isDelta: boolean;
  /** Of cumulative points: the latest of each series, of which some have ended. */
  readonly #latest = new ReceiverSummary();
  /** Requests that reached it whole, and went down with it. */
  readonly #lost = new ReceiverSummary();
  #receiver: Receiver | undefined;
  #port = 0;
  #requests = 0;
  #hasDeltas = false;
  /** Requests with deltas that it has left without an answer. */
  unanswered = 0;
  does: Behaviour = 'takes';
  /** Called with each request that arrives. */
  look: (request: ExportRequestMessage) => void = () => {};

  constructor(start: (options: ReceiverOptions) => Promise<Receiver>, temporality: string) {
    this.#start = start;
    this.#isDelta = temporality === 'delta';
  }

  async start(): Promise<void> {
    this.#receiver ??= await this.#start({
      port: this.#port,
      mostBytes: SMALL,
      ...(!this.#isDelta && { summary: this.#latest }),
      onRequest: (request) => {
        this.look(request);
        this.#hasDeltas = hasDeltas(request);
        if (this.does === 'dies before it takes') {
          this.#lost.add(request);
        }
      },
      refuse: () => this.#refusal(),
      taken: () => this.#taken(),
    });
    this.#port = this.#receiver.port;
  }

  async stop(): Promise<void> {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    if (receiver !== undefined) {
      this.#received.push(receiver.summary());
      await receiver.close();
      // The other side learns of it in the next turn of the event loop, which is the same one.
      await nextTurn();
      await nextTurn();
    }
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Of a metric: deltas of all that was received, or the last of cumulative points. */
  total(name: string): number {
    const summaries = this.#isDelta ? this.#received : [this.#latest.summary()];
    return summaries.reduce((sum, summary) => sum + countOf(summary, name), 0);
  }

  /** The same of deltas in requests that went down with it. */
  lost(name: string): number {
    return countOf(this.#lost.summary(), name);
  }

  async #refusal(): Promise<Refusal> {
    // Only some requests of a collection are refused.
    const isRefused = this.#requests++ % 2 === 0;
    switch (this.does) {
      case 'refuses':
        return isRefused ? { code: INVALID_ARGUMENT, details: 'no' } : undefined;
      case 'is busy':
        return isRefused ? { code: UNAVAILABLE, details: 'busy' } : undefined;
      case 'dies before it takes':
        await this.#die();
        return { code: UNAVAILABLE, details: 'nobody hears this' };
      default:
        return undefined;
    }
  }

  async #taken(): Promise<void> {
    if (this.does === 'takes, and dies before it answers') {
      await this.#die();
    }
    if (this.does === 'takes, and never answers') {
      this.#noteUnanswered();
      await new Promise(() => {});
    }
  }

  /** Once: another one takes its place, which takes all. */
  async #die(): Promise<void> {
    this.does = 'takes';
    this.#noteUnanswered();
    await this.stop();
    await this.start();
  }

  #noteUnanswered(): void {
    this.unanswered += Number(this.#hasDeltas);
  }
}

function countOf({ metrics }: ReceivedSummary, name: string): number {
  return metrics.find((metric) => metric.name === name)?.totalCount ?? 0;
}

function hasDeltas({ resourceMetrics }: ExportRequestMessage): boolean {
  return resourceMetrics
    .flatMap(({ scopeMetrics }) => scopeMetrics)
    .flatMap(({ metrics }) => metrics)
    .some(({ sum, histogram, exponentialHistogram }) =>
      [sum, histogram, exponentialHistogram].some(
        (data) => data?.aggregationTemporality === 'AGGREGATION_TEMPORALITY_DELTA',
      ),
    );
}

function nextTurn(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setImmediate(resolve);
  return promise;
}
