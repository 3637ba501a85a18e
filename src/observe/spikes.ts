import type { EpochClock } from '../kernel/epoch-clock.ts';
import type { SpikeTotals } from '../model/spike.ts';
import type { LookupProgram } from '../programs/lookup-program.ts';
import type { Namer } from '../programs/naming/namer.ts';
import { SpikeReader } from '../programs/readers/spikes.ts';
import type { Parts, SpikeOptions } from './assemble.ts';

/** Whether spikes of a lookup function, by its index in the plan, are reported. */
type IsObserved = (functionIndex: number) => boolean;

/** The spikes of one observation: a few of each cycle are reported, all are counted. */
export class Spikes {
  readonly #options: SpikeOptions;
  readonly #reader: SpikeReader;
  readonly #program: LookupProgram;
  readonly #clock: EpochClock;

  constructor(options: SpikeOptions, namer: Namer, { program, clock }: Parts) {
    this.#options = options;
    this.#reader = new SpikeReader(namer);
    this.#program = program;
    this.#clock = clock;
  }

  /** Reads the spikes since the last call and reports a few per call site, type and result. */
  async collect(isObserved: IsObserved): Promise<void> {
    const cycle = this.#program.beginSpikeCycle();
    const spikes = await this.#reader.read(this.#program.kernel, cycle, this.#clock.offset, isObserved);
    if (spikes.length > 0) {
      this.#options.onSpikes?.(spikes);
    }
  }

  /** @param noMemory those that the kernel had no room for */
  totals(noMemory: number, isObserved: IsObserved): SpikeTotals {
    const { seen, suppressed, latest } = this.#reader.totals(isObserved);
    return {
      threshold: this.#options.threshold,
      seen: seen + noMemory,
      delivered: 0,
      suppressed: { rate_limit: suppressed, no_memory: noMemory },
      latest,
    };
  }
}
