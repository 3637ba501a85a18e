import type { ProbeObject } from '../kernel/addon.ts';
import { RecordReader, recordConstant, recordEnum } from '../kernel/records.ts';
import { decodeType } from '../programs/readers/aggregate.ts';

/** How often each outcome of enum verify_outcome came up for one lookup function, by the outcome's name. */
export type OutcomeCounts = Readonly<Record<string, number>>;

/** A disagreement as the kernel keeps it; see struct disagreement in bpf/shared/verify.h. */
export interface RawDisagreement {
  readonly functionIndex: number;
  readonly type: number;
  readonly runtimeType: boolean;
  readonly returnAddress: number;
  readonly elem: bigint;
  readonly key: bigint;
  readonly first: bigint;
  readonly second: bigint;
}

/** Reads the outcomes of the first `functions` lookup functions, summed over CPUs. */
export async function readOutcomes(program: ProbeObject, functions: number): Promise<OutcomeCounts[]> {
  const results = await program.readPerCpuMap('verify_results');
  const reader = new RecordReader('verify_counts');
  const { VERIFY_OUTCOMES: _, ...outcomes } = recordEnum('verify_outcome');
  const sum = (index: number, outcome: number) => reader.sum(results, 'count', outcome, index);
  return Array.from({ length: functions }, (_, index) =>
    Object.fromEntries(Object.entries(outcomes).map(([name, outcome]) => [name, sum(index, outcome)])),
  );
}

/** Reads the disagreements that were kept in detail. */
export async function readDisagreements(program: ProbeObject): Promise<RawDisagreement[]> {
  const { values, count } = await program.readSharedMap('disagreements');
  const reader = new RecordReader('disagreement');
  const shown = recordConstant('SHOWN_DISAGREEMENTS');
  const found: RawDisagreement[] = [];
  for (let i = 0; i < count; i++) {
    const at = i * reader.size;
    if (reader.number(values, at, 'used') === 0) {
      continue;
    }
    found.push({
      functionIndex: Math.floor(i / shown),
      ...decodeType(reader.bigint(values, at, 'type')),
      returnAddress: reader.number(values, at, 'return_address'),
      elem: reader.bigint(values, at, 'elem'),
      key: reader.bigint(values, at, 'key'),
      first: reader.bigint(values, at, 'first_result'),
      second: reader.bigint(values, at, 'second_result'),
    });
  }
  return found;
}
