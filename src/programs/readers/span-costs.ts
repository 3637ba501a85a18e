import { type FieldOf, RecordReader, recordConstant } from '../../kernel/records.ts';
import { HeaviestSpans, type SpanCost, type SpanCosts } from '../../model/heavy/spans.ts';
import type { LookupProgram } from '../lookup-program.ts';
import type { CostTable } from './cost-tables.ts';

/** Adds up what the lookups of each followed span cost (bpf/counts/span_cost.bpf.h). */
export class SpanCostReader implements CostTable {
  readonly #program: LookupProgram;
  readonly #heaviest = new HeaviestSpans();
  readonly #record = new RecordReader('span_cost');
  readonly #outside = new RecordReader('outside_spans');
  readonly #sampledUnknown = recordConstant('SAMPLED_UNKNOWN');
  readonly #sampledYes = recordConstant('SAMPLED_YES');
  readonly #traceBytes = recordConstant('TRACE_ID_BYTES');
  readonly #spanBytes = recordConstant('SPAN_ID_BYTES');
  /** Lookups of spans that the kernel forgot while it wrote them down. */
  #forgotten = 0;

  constructor(program: LookupProgram) {
    this.#program = program;
  }

  /** A hash map does not say how full it is. */
  isFilling(): Promise<boolean> {
    return Promise.resolve(true);
  }

  async empty(number: number): Promise<void> {
    const { values, count } = await this.#program.kernel.drainMap(`span_costs_${number}`);
    const costs = Array.from({ length: count }, (_, i) => this.#cost(values, i * this.#record.size));
    const known = costs.filter(({ traceId }) => !/^0+$/.test(traceId));
    this.#forgotten += lookupsOf(costs) - lookupsOf(known);
    this.#heaviest.add(known);
  }

  /** All costs that have been added, and the lookups that are of no span. */
  async read(): Promise<SpanCosts> {
    const outside = await this.#program.kernel.readPerCpuMap('lookups_outside_spans');
    const total = (field: FieldOf<'outside_spans'>) => this.#outside.sum(outside, field);
    return this.#heaviest.costs({ no_span: total('no_span') + this.#forgotten, no_room: total('no_room') });
  }

  #cost(values: Buffer, at: number): SpanCost {
    const number = (field: FieldOf<'span_cost'>) => this.#record.number(values, at, field);
    const hex = (field: FieldOf<'span_cost'>, length: number) => {
      const start = at + this.#record.offset(field);
      return values.toString('hex', start, start + length);
    };
    const sampled = number('sampled');
    return {
      traceId: hex('trace_id', this.#traceBytes),
      spanId: hex('span_id', this.#spanBytes),
      ...(sampled !== this.#sampledUnknown && { sampled: sampled === this.#sampledYes }),
      goroutine: number('goroutine'),
      lookups: number('lookups'),
      hits: number('hits'),
      probes: number('probes'),
      keyComparisons: number('key_comparisons'),
      partsCompared: number('parts_compared'),
    };
  }
}

function lookupsOf(costs: readonly SpanCost[]): number {
  return costs.reduce((sum, { lookups }) => sum + lookups, 0);
}
