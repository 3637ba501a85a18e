import type { ProbeObject } from '../kernel/addon.ts';
import { RecordReader, recordConstant } from '../kernel/records.ts';
import type { ExemplarCandidate } from '../model/candidate.ts';
import { decodeName } from './aggregates.ts';
import type { Namer } from './naming.ts';

/** An id is only passed on when it is one: hexadecimal digits, and not all zero (W3C trace context). */
const HEXADECIMAL = /^(?!0+$)[0-9a-fA-F]+$/;

/** Reads the lookups that the kernel has kept as candidates for exemplars. */
export class CandidateReader {
  readonly #namer: Namer;
  readonly #key = new RecordReader('exemplar_key');
  readonly #value = new RecordReader('exemplar');

  constructor(namer: Namer) {
    this.#namer = namer;
  }

  /** The candidates of one cycle. Of a lookup that is candidate for several buckets there is one. */
  async read(program: ProbeObject, cycle: bigint): Promise<ExemplarCandidate[]> {
    const { keys, values, count, cpus } = await program.readPerCpuMap('exemplars');
    // The kernel's clock is CLOCK_MONOTONIC, as hrtime is; how far it is from wall time may change.
    const sinceEpoch = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();
    const found = new Map<string, ExemplarCandidate>();
    for (let i = 0; i < count * cpus; i++) {
      const at = i * this.#value.size;
      if (this.#value.bigint(values, at, 'cycle') !== cycle) continue;
      const key = Math.floor(i / cpus) * this.#key.size;
      const candidate = this.#candidate(keys, key, values, at, sinceEpoch);
      found.set(`${candidate.time} ${candidate.goroutine}`, candidate);
    }
    return [...found.values()];
  }

  #candidate(keys: Buffer, key: number, values: Buffer, at: number, sinceEpoch: bigint): ExemplarCandidate {
    const value = this.#value;
    const name = decodeName(
      this.#key.bigint(keys, key, 'name.caller'),
      this.#key.bigint(keys, key, 'name.type'),
    );
    const traceId = this.#id(values, at, 'trace_id', 'TRACE_ID_TEXT', 'has_trace');
    const spanId = this.#id(values, at, 'span_id', 'SPAN_ID_TEXT', 'has_span');
    const parent = value.number(values, at, 'parent_goroutine');
    return {
      callSite: this.#namer.callSite(name.caller),
      type: this.#namer.type(name),
      hit: name.hit,
      time: value.bigint(values, at, 'time') + sinceEpoch,
      probeLength: value.number(values, at, 'probe_length'),
      keyComparisons: value.number(values, at, 'key_comparisons'),
      goroutine: value.number(values, at, 'goroutine'),
      ...(parent > 0 && { parentGoroutine: parent }),
      ...(traceId !== undefined && { traceId }),
      ...(spanId !== undefined && { spanId }),
    };
  }

  #id(values: Buffer, at: number, field: string, length: string, flag: string): string | undefined {
    if (this.#value.number(values, at, flag) === 0) return undefined;
    const start = at + this.#value.offset(field);
    const text = values.toString('latin1', start, start + recordConstant(length));
    return HEXADECIMAL.test(text) ? text.toLowerCase() : undefined;
  }
}
