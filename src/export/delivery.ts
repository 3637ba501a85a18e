import { type ExportReport, statusCode } from './retry.ts';

/** How serious a sentence for the user is. */
export type LogLevel = 'info' | 'warn';

/** Takes one sentence for the user. */
export type Log = (level: LogLevel, sentence: string) => void;

/** What a flush or shutdown achieved. */
export interface DeliveryResult {
  /** Everything there was to send has been accepted. */
  delivered: boolean;
  /** Data points or log records accepted during the call. */
  items: number;
  /** One sentence for the user; absent when all is well. */
  problem?: string;
}

/** Exports (requests, with their retries) and what became of them. */
export interface DeliveryTotals {
  exported: number;
  failed: number;
  /** Data points or log records accepted. */
  items: number;
  lastError?: Error;
}

/** Time for a flush or shutdown, unless the caller says otherwise. */
export const FLUSH_MILLIS = 5000;

/** What remains of a flush's time when its exports have to end, to have an answer from them. */
export const ANSWER_MILLIS = 100;

/** What is delivered. */
export interface Freight<Data> {
  /** In the plural, beginning a sentence. */
  name: string;
  /** Data points or log records. */
  itemsOf: (data: Data) => number;
}

const NONE: DeliveryTotals = { exported: 0, failed: 0, items: 0 };

/**
 * Keeps account of exports and tells the user when their state changes: when they begin to fail and when they work
 * again, not at each cycle in between.
 */
export class DeliveryMonitor<Data> {
  readonly #freight: Freight<Data>;
  readonly #endpoint: string;
  readonly #log: Log;
  #totals: Readonly<DeliveryTotals> = NONE;
  #cycle: Readonly<DeliveryTotals> = NONE;
  /** Failed exports in a row. */
  #failing = 0;
  #ending = false;

  constructor(freight: Freight<Data>, endpoint: string, log: Log) {
    this.#freight = freight;
    this.#endpoint = endpoint;
    this.#log = log;
  }

  /** Since the start. */
  get totals(): Readonly<DeliveryTotals> {
    return this.#totals;
  }

  /** Since the data was last collected: a collection may be sent as several requests. */
  get cycle(): Readonly<DeliveryTotals> {
    return this.#cycle;
  }

  beginCycle(): void {
    this.#cycle = NONE;
  }

  /** From here on nothing is said: the result of the shutdown tells how it ended. */
  end(): void {
    this.#ending = true;
  }

  record(report: ExportReport<Data>): void {
    const items = report.error === undefined ? this.#freight.itemsOf(report.data) : 0;
    this.#totals = add(this.#totals, items, report.error);
    this.#cycle = add(this.#cycle, items, report.error);
    const { error, attempts } = report;
    if (error !== undefined) {
      if (this.#failing++ === 0 && !this.#ending) {
        const tries = attempts === 1 ? '' : ` (tried ${attempts} times)`;
        this.#log('warn', `${this.describe(error)}${tries}. The observation goes on, and so do the exports.`);
      }
    } else if (this.#failing > 0) {
      const failures = this.#failing === 1 ? 'one failed export' : `${this.#failing} failed exports`;
      this.#failing = 0;
      if (!this.#ending) {
        this.#log('info', `${this.#freight.name} reach ${this.#endpoint} again, after ${failures}.`);
      }
    }
  }

  /** The beginning of a sentence that says why. */
  get undelivered(): string {
    return `${this.#freight.name} do not reach ${this.#endpoint}`;
  }

  /** What an export's error means, in words. */
  describe(error: Error): string {
    return `${this.undelivered}: ${reason(error, this.#freight.name)}`;
  }
}

function add(to: Readonly<DeliveryTotals>, items: number, error: Error | undefined): DeliveryTotals {
  return error === undefined
    ? { ...to, exported: to.exported + 1, items: to.items + items }
    : { ...to, failed: to.failed + 1, lastError: error };
}

const UNIMPLEMENTED = 12;

/** gRPC status codes that have a plainer explanation than the error's own text. */
const EXPLANATIONS: Readonly<Record<number, string>> = {
  3: 'the receiver does not accept the data',
  4: 'it did not answer in time',
  7: 'permission denied; check OTEL_EXPORTER_OTLP_HEADERS',
  8: 'it takes no more data at the moment',
  14: 'it cannot be reached',
  16: 'it asks for credentials; check OTEL_EXPORTER_OTLP_HEADERS',
};

function reason(error: Error, freight: string): string {
  const code = statusCode(error);
  const unimplemented = `it is no OTLP/gRPC receiver of ${freight.toLowerCase()}`;
  const explanation = code === UNIMPLEMENTED ? unimplemented : EXPLANATIONS[code ?? 0];
  const detail = detailOf(error);
  return explanation === undefined || explanation === detail ? detail : `${explanation} (${detail})`;
}

/** The error's own words, without what gRPC wraps around them. */
function detailOf({ message }: Error): string {
  return message
    .replace(/^\d+ [A-Z_]+: /, '')
    .replace(/^No connection established\. Last error: (Error: )?/, '')
    .replace(/\.?\s*Resolution note:\s*$/, '');
}

/** Whether the work ended in time; how it ended is told elsewhere. */
export async function endsWithin(work: Promise<void>, milliseconds: number): Promise<boolean> {
  const { promise: expired, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), milliseconds);
  try {
    return await Promise.race([
      work.then(
        () => true,
        () => true,
      ),
      expired,
    ]);
  } finally {
    clearTimeout(timer);
  }
}
