import { RecordReader, recordConstant } from '../kernel/records.ts';
import type { ExemplarCandidate } from '../model/candidate.ts';
import type { AggregateName } from './aggregates.ts';
import type { Namer } from './naming.ts';

/** An id is only passed on when it is one: hexadecimal digits, and not all zero (W3C trace context). */
const HEXADECIMAL = /^(?!0+$)[0-9a-fA-F]+$/;

/** What to add to a kernel time to have Unix nanoseconds. The kernel's clock is CLOCK_MONOTONIC, as hrtime is; the distance may change. */
export function sinceEpoch(): bigint {
  return BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();
}

/** Reads the records `struct exemplar`: lookups told in full, with who made them. */
export class ExemplarRecordReader {
  readonly record = new RecordReader('exemplar');
  readonly #namer: Namer;

  constructor(namer: Namer) {
    this.#namer = namer;
  }

  /**
   * @param name what the lookup was counted under
   * @param offset see sinceEpoch
   */
  read(name: AggregateName, values: Buffer, at: number, offset: bigint): ExemplarCandidate {
    const traceId = this.#id(values, at, 'trace_id', 'TRACE_ID_TEXT', 'has_trace');
    const spanId = this.#id(values, at, 'span_id', 'SPAN_ID_TEXT', 'has_span');
    const parent = this.record.number(values, at, 'parent_goroutine');
    return {
      callSite: this.#namer.callSite(name.caller),
      type: this.#namer.type(name),
      hit: name.hit,
      time: this.record.bigint(values, at, 'time') + offset,
      probeLength: this.record.number(values, at, 'probe_length'),
      keyComparisons: this.record.number(values, at, 'key_comparisons'),
      goroutine: this.record.number(values, at, 'goroutine'),
      ...(parent > 0 && { parentGoroutine: parent }),
      ...(traceId !== undefined && { traceId }),
      ...(spanId !== undefined && { spanId }),
    };
  }

  #id(values: Buffer, at: number, field: string, length: string, flag: string): string | undefined {
    if (this.record.number(values, at, flag) === 0) return undefined;
    const start = at + this.record.offset(field);
    const text = values.toString('latin1', start, start + recordConstant(length));
    return HEXADECIMAL.test(text) ? text.toLowerCase() : undefined;
  }
}
