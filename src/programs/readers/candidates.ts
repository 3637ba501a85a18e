import type { ProbeObject } from '../../kernel/addon.ts';
import { RecordReader } from '../../kernel/records.ts';
import type { ExemplarCandidate } from '../../model/candidate.ts';
import type { Namer } from '../naming/namer.ts';
import { decodeName } from './aggregates.ts';
import { ExemplarRecordReader } from './exemplar-record.ts';

/** Reads the lookups that the kernel has kept as candidates for exemplars. */
export class CandidateReader {
  readonly #key = new RecordReader('exemplar_key');
  readonly #lookups: ExemplarRecordReader;

  constructor(namer: Namer) {
    this.#lookups = new ExemplarRecordReader(namer);
  }

  /**
   * The candidates of one cycle. Of a lookup that is candidate for several buckets there is one.
   *
   * @param offset what to add to their times to have Unix nanoseconds
   */
  async read(program: ProbeObject, cycle: bigint, offset: bigint): Promise<ExemplarCandidate[]> {
    const { keys, values, count } = await program.readSharedMap('exemplars');
    const { record } = this.#lookups;
    const found = new Map<string, ExemplarCandidate>();
    for (let i = 0; i < count; i++) {
      const at = i * record.size;
      if (record.bigint(values, at, 'cycle') !== cycle) {
        continue;
      }
      const key = i * this.#key.size;
      const name = decodeName(
        this.#key.bigint(keys, key, 'name.caller'),
        this.#key.bigint(keys, key, 'name.type'),
      );
      const candidate = this.#lookups.read(name, values, at, offset);
      found.set(`${candidate.time} ${candidate.goroutine}`, candidate);
    }
    return [...found.values()];
  }
}
