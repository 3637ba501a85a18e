import { RecordReader, recordConstant } from '../../kernel/records.ts';
import type { ExemplarCandidate } from '../../model/candidate.ts';
import type { Namer } from '../naming/namer.ts';
import type { AggregateName } from './aggregate.ts';

/** An id is only passed on when it is one: hexadecimal digits, and not all zero (W3C trace context). */
const HEXADECIMAL = /^(?!0+$)[0-9a-fA-F]+$/;

/** Reads the records `struct exemplar`: single lookups in full, with who made them. */
export class ExemplarRecordReader {
  readonly record = new RecordReader('exemplar');
  readonly #namer: Namer;
  readonly #text = recordConstant('ID_TEXT');
  readonly #binary = recordConstant('ID_BINARY');
  readonly #sampledUnknown = recordConstant('SAMPLED_UNKNOWN');
  readonly #sampledYes = recordConstant('SAMPLED_YES');
  readonly #lengths = {
    trace: { bytes: recordConstant('TRACE_ID_BYTES'), digits: recordConstant('TRACE_ID_TEXT') },
    span: { bytes: recordConstant('SPAN_ID_BYTES'), digits: recordConstant('SPAN_ID_TEXT') },
  };

  constructor(namer: Namer) {
    this.#namer = namer;
  }

  /**
   * @param name what the lookup was counted under
   * @param offset what to add to its times to have Unix nanoseconds
   */
  read(name: AggregateName, values: Buffer, at: number, offset: bigint): ExemplarCandidate {
    const traceId = this.#id(values, at, 'trace');
    const spanId = this.#id(values, at, 'span');
    const sampled = this.record.number(values, at, 'sampled');
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
      ...(sampled !== this.#sampledUnknown && { sampled: sampled === this.#sampledYes }),
    };
  }

  #id(values: Buffer, at: number, kind: 'trace' | 'span'): string | undefined {
    const form = this.record.number(values, at, `${kind}_form`);
    const start = at + this.record.offset(`${kind}_id`);
    const { bytes, digits } = this.#lengths[kind];
    if (form === this.#binary) {
      return validId(values.toString('hex', start, start + bytes));
    }
    return form === this.#text ? validId(values.toString('latin1', start, start + digits)) : undefined;
  }
}

function validId(text: string): string | undefined {
  return HEXADECIMAL.test(text) ? text.toLowerCase() : undefined;
}
