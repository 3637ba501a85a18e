import type { ProbeObject } from '../../kernel/addon.ts';
import { RecordReader } from '../../kernel/records.ts';
import type { ExemplarCandidate } from '../../model/candidate.ts';
import type { Namer } from '../naming/namer.ts';
import { decodeName } from './aggregate.ts';
import { ExemplarRecordReader } from './exemplar-record.ts';

/** Reads the lookups that the kernel has kept as candidates for exemplars. */
export class CandidateReader {
  readonly #key = new RecordReader('exemplar_key');
  readonly #lookups: ExemplarRecordReader;
  /** Of cycles that had not ended when they were read. */
  #early: { readonly cycle: bigint; readonly candidate: ExemplarCandidate }[] = [];

  constructor(namer: Namer) {
    this.#lookups = new ExemplarRecordReader(namer);
  }

  /**
   * The candidates of one cycle. Of a lookup that is candidate for several buckets there is one. The kernel's table is emptied, so that
   * there is room for those of the next cycle.
   *
   * @param offset what to add to their times to have Unix nanoseconds
   */
  async read(program: ProbeObject, cycle: bigint, offset: bigint): Promise<ExemplarCandidate[]> {
    const { keys, values, count } = await program.drainMap('exemplars');
    const { record } = this.#lookups;
    const read = this.#early;
    for (let i = 0; i < count; i++) {
      const at = i * record.size;
      const key = i * this.#key.size;
      const name = decodeName(
        this.#key.bigint(keys, key, 'name.caller'),
        this.#key.bigint(keys, key, 'name.type'),
      );
      read.push({
        cycle: record.bigint(values, at, 'cycle'),
        candidate: this.#lookups.read(name, values, at, offset),
      });
    }
    this.#early = read.filter((one) => one.cycle > cycle);
    const found = new Map<string, ExemplarCandidate>();
    for (const { cycle: its, candidate } of read) {
      if (its === cycle) {
        found.set(`${candidate.time} ${candidate.goroutine}`, candidate);
      }
    }
    return [...found.values()];
  }
}
