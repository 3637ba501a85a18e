import { callWithTimeout } from '@opentelemetry/core';
import type { Log } from '../../base/log.ts';
import { printable } from '../../base/text.ts';
import type { PartialSuccess } from '../otlp/sender.ts';
import type { Endpoint } from '../settings/endpoint.ts';
import { ExportFailure, type FailureKind } from '../transport/failure.ts';
import type { ExportReport } from './retry.ts';

/** What a flush or shutdown achieved. */
export interface DeliveryResult {
  /** The receiver has accepted everything that there was to send. */
  delivered: boolean;
  /** Data points or log records accepted during the call. */
  items: number;
  /** One sentence for the user; absent when all is well. */
  problem?: string;
}

/** Counts of exports, by how they ended. An export is a request with its retries. */
export interface DeliveryTotals {
  exported: number;
  /** Also those for which there was nothing, because it could not be collected. */
  failed: number;
  /** Data points or log records accepted. */
  items: number;
  /** Those that a receiver did not take of a request that it accepted. */
  rejected: number;
  /** Those that may have arrived although nobody said so, and are not sent again. */
  uncertain: number;
  lastError?: Error;
}

/** Time for a flush or shutdown, unless the caller says otherwise. */
export const FLUSH_MILLIS = 5000;

/** Exports end so long before a flush does, so that their results are known by then. */
export const ANSWER_MILLIS = 100;

/** What a monitor keeps account of. */
export interface Freight<Data> {
  /** In the plural, with a capital: sentences begin with it. */
  name: string;
  /** What they consist of, in the plural. */
  items: string;
  itemsOf: (data: Data) => number;
}

const NONE: DeliveryTotals = { exported: 0, failed: 0, items: 0, rejected: 0, uncertain: 0 };

/**
 * Keeps account of exports. It logs when they start to fail and when they succeed again, and nothing in between.
 */
export class DeliveryMonitor<Data> {
  readonly #freight: Freight<Data>;
  readonly #endpoint: Endpoint;
  readonly #log: Log;
  #totals: Readonly<DeliveryTotals> = NONE;
  #cycle: Readonly<DeliveryTotals> = NONE;
  /** Failed exports in a row. */
  #failing = 0;
  /** Why the last collection gave nothing. */
  #uncollected: string | undefined;
  /** What a receiver last said of data that it did not take. */
  #rejection: string | undefined;
  #ending = false;

  constructor(freight: Freight<Data>, endpoint: Endpoint, log: Log) {
    this.#freight = freight;
    this.#endpoint = endpoint;
    this.#log = log;
  }

  /** Since the start. */
  get totals(): Readonly<DeliveryTotals> {
    return this.#totals;
  }

  /** Since the last collection, which may go out in several requests. */
  get cycle(): Readonly<DeliveryTotals> {
    return this.#cycle;
  }

  beginCycle(): void {
    this.#cycle = NONE;
  }

  /** Stops logging: from here on the result of the shutdown says how exports ended. */
  end(): void {
    this.#ending = true;
  }

  record({ data, error, partial, attempts, isUncertain = false }: ExportReport<Data>): void {
    const all = this.#freight.itemsOf(data);
    const rejected = partial?.rejected ?? 0;
    const uncertain = isUncertain ? all : 0;
    const items = error === undefined ? all - rejected : 0;
    this.#totals = add(this.#totals, { items, rejected, uncertain }, error);
    this.#cycle = add(this.#cycle, { items, rejected, uncertain }, error);
    if (error !== undefined) {
      this.#failed(error, attempts, uncertain);
      return;
    }
    this.#succeeded();
    this.#tellRejection(partial);
  }

  /** There was nothing to export, because it could not be collected; `undefined`: there was. */
  recordCollection(problem: string | undefined): void {
    if (problem !== undefined) {
      this.#totals = { ...this.#totals, failed: this.#totals.failed + 1 };
      if (this.#uncollected === undefined && !this.#ending) {
        this.#log(
          'warn',
          `There are no ${this.#freight.name.toLowerCase()} to send: ${problem}. mapscope keeps trying.`,
        );
      }
    } else if (this.#uncollected !== undefined && !this.#ending) {
      this.#log('info', `There are ${this.#freight.name.toLowerCase()} to send again.`);
    }
    this.#uncollected = problem;
  }

  #failed(error: Error, attempts: number, uncertain: number): void {
    if (this.#failing++ === 0 && !this.#ending) {
      const tries = attempts === 1 ? '' : ` (tried ${attempts} times)`;
      const doubt = uncertain === 0 ? '' : ` ${this.#doubt(uncertain)}`;
      this.#log(
        'warn',
        `${this.describe(error)}${tries}.${doubt} Observation continues, and mapscope keeps trying to export.`,
      );
    }
  }

  #doubt(uncertain: number): string {
    return `Whether ${uncertain} ${this.#freight.items} have arrived is not known: sent again they might count twice.`;
  }

  #succeeded(): void {
    if (this.#failing === 0) {
      return;
    }
    const failures = this.#failing === 1 ? 'one failed export' : `${this.#failing} failed exports`;
    this.#failing = 0;
    if (!this.#ending) {
      this.#log('info', `${this.#freight.name} reach ${this.#endpoint.shown} again, after ${failures}.`);
    }
  }

  /** At each change of what the receiver says, for it may go on at every export. */
  #tellRejection(partial: PartialSuccess | undefined): void {
    const sentence = partial && this.#rejectionSentence(partial);
    if (sentence !== undefined && this.#rejection !== partial?.message) {
      this.#log('warn', sentence);
    }
    this.#rejection = partial?.message ?? this.#rejection;
  }

  #rejectionSentence({ rejected, message }: PartialSuccess): string {
    const words = message === '' ? 'without a reason' : `it says: ${printable(message)}`;
    const hint = /temporal|delta|cumulative/i.test(message)
      ? ' OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE chooses the temporality.'
      : '';
    const { shown } = this.#endpoint;
    return rejected === 0
      ? `${shown} accepts the ${this.#freight.name.toLowerCase()}, but ${words}.${hint}`
      : `${shown} does not take ${rejected} ${this.#freight.items} of a request that it accepts; ${words}.${hint}`;
  }

  /** One sentence on what was not taken since the start; undefined when all was. */
  get rejection(): string | undefined {
    const { rejected } = this.#totals;
    return rejected === 0
      ? undefined
      : `${this.#endpoint.shown} did not take ${rejected} ${this.#freight.items}; it says: ${printable(this.#rejection || 'nothing')}.`;
  }

  /** One sentence on what may not have arrived since the start; undefined when all is known. */
  get doubt(): string | undefined {
    const { uncertain } = this.#totals;
    return uncertain === 0 ? undefined : this.#doubt(uncertain);
  }

  /** Start of a sentence, to which the caller adds the reason. */
  get undelivered(): string {
    return `${this.#freight.name} do not reach ${this.#endpoint.shown}`;
  }

  /** Explains an export's error in a sentence, without its full stop. */
  describe(error: Error): string {
    return `${this.undelivered}: ${reason(error, this.#freight, this.#endpoint)}`;
  }
}

function add(
  to: Readonly<DeliveryTotals>,
  { items, rejected, uncertain }: Pick<DeliveryTotals, 'items' | 'rejected' | 'uncertain'>,
  error: Error | undefined,
): DeliveryTotals {
  return error === undefined
    ? { ...to, exported: to.exported + 1, items: to.items + items, rejected: to.rejected + rejected }
    : { ...to, failed: to.failed + 1, uncertain: to.uncertain + uncertain, lastError: error };
}

/** Kinds of failures that have a plainer explanation than their detail. */
const EXPLANATIONS: Readonly<Partial<Record<FailureKind, string>>> = {
  invalid: 'the receiver does not accept the data',
  timeout: 'it did not answer in time',
  permission: 'permission denied; check OTEL_EXPORTER_OTLP_HEADERS',
  exhausted: 'it accepts no more data at the moment',
  unreachable: 'it cannot be reached',
  credentials: 'it asks for credentials; check OTEL_EXPORTER_OTLP_HEADERS',
};

function reason(error: Error, { name, items }: Freight<never>, { protocol }: Endpoint): string {
  const detail = printable(error.message);
  if (!(error instanceof ExportFailure)) {
    return detail;
  }
  const over = protocol === 'grpc' ? 'OTLP/gRPC' : 'OTLP/HTTP at this path';
  const explanations = {
    ...EXPLANATIONS,
    'too large': `one of the ${items} alone is too large for it`,
    unimplemented: `it does not receive ${name.toLowerCase()} over ${over}`,
  };
  const explanation: string | undefined = explanations[error.kind as keyof typeof explanations];
  return explanation === undefined || explanation === detail ? detail : `${explanation} (${detail})`;
}

/** Whether the work ended in time, in success or failure. */
export async function endsWithin(work: Promise<void>, milliseconds: number): Promise<boolean> {
  // A time limit within the work may fail with the same error, so its failures are caught first.
  const ended = work.then(
    () => true,
    () => true,
  );
  return await callWithTimeout(ended, milliseconds).catch(() => false);
}
