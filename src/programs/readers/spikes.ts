import type { ProbeObject } from '../../kernel/addon.ts';
import { type FieldOf, RecordReader, recordConstant } from '../../kernel/records.ts';
import { traceRank } from '../../model/candidate.ts';
import type { Spike, SpikeMap } from '../../model/spike.ts';
import type { Namer } from '../naming/namer.ts';
import { type AggregateName, decodeName } from './aggregate.ts';
import { ExemplarRecordReader } from './exemplar-record.ts';

/** Spikes reported per site at each read. */
const TOLD_PER_READ = 4;

/** Spikes that are remembered for the report. */
const LATEST = 20;

/** Counts of one site's spikes since the start. */
interface SiteCounts {
  readonly functionIndex: number;
  seen: number;
  /** Handed out. */
  told: number;
  /** Told of in the `suppressed` of a spike that was handed out. */
  accounted: number;
  /** Neither handed out nor to be handed out later. Never falls. */
  suppressed: number;
}

/** Reads the spikes that the kernel has kept, and hands out a few of each site at each read. */
export class SpikeReader {
  readonly #key = new RecordReader('lookup_key');
  readonly #site = new RecordReader('spike_site');
  readonly #spike = new RecordReader('spike');
  readonly #lookups: ExemplarRecordReader;
  readonly #sites = new Map<string, SiteCounts>();
  #latest: { readonly functionIndex: number; readonly spike: Spike }[] = [];

  constructor(namer: Namer) {
    this.#lookups = new ExemplarRecordReader(namer);
  }

  /**
   * Spikes of one cycle, oldest first: of each site those with a trace first, then the highest.
   *
   * @param offset what to add to their times to have Unix nanoseconds
   * @param isObserved whether spikes of a lookup function are reported
   */
  async read(
    program: ProbeObject,
    cycle: bigint,
    offset: bigint,
    isObserved: (functionIndex: number) => boolean,
  ): Promise<Spike[]> {
    const { keys, values, count } = await program.readSharedMap('spike_sites');
    const told: Spike[] = [];
    for (let i = 0; i < count; i++) {
      const [caller, type] = [this.#word(keys, i, 'caller'), this.#word(keys, i, 'type')];
      const name = decodeName(caller, type);
      if (!isObserved(name.functionIndex)) {
        continue;
      }
      const at = i * this.#site.size;
      const kept = this.#kept(name, values, at, cycle, offset);
      const seen = this.#site.number(values, at, 'seen');
      const later = this.#complete(values, at, cycle + 1n).length;
      told.push(...this.#choose(`${caller} ${type}`, name.functionIndex, { seen, kept, later }));
    }
    return told.sort((a, b) => (a.time < b.time ? -1 : 1));
  }

  /** Since the start, without lookup functions that are not observed. */
  totals(isObserved: (functionIndex: number) => boolean): {
    seen: number;
    suppressed: number;
    latest: Spike[];
  } {
    const sites = [...this.#sites.values()].filter((site) => isObserved(site.functionIndex));
    return {
      seen: sites.reduce((sum, site) => sum + site.seen, 0),
      suppressed: sites.reduce((sum, site) => sum + site.suppressed, 0),
      latest: this.#latest.filter((one) => isObserved(one.functionIndex)).map((one) => one.spike),
    };
  }

  #word(keys: Buffer, index: number, field: FieldOf<'lookup_key'>): bigint {
    return this.#key.bigint(keys, index * this.#key.size, field);
  }

  /** The complete spikes of one cycle. */
  #kept(name: AggregateName, values: Buffer, site: number, cycle: bigint, offset: bigint): Spike[] {
    return this.#complete(values, site, cycle).map((at) => ({
      ...this.#lookups.read(name, values, at + this.#spike.offset('lookup.cycle'), offset),
      probeLengthLimit: this.#spike.number(values, at, 'probe_length_limit'),
      keyComparisonsLimit: this.#spike.number(values, at, 'key_comparisons_limit'),
      map: this.#map(values, at),
      suppressed: 0,
    }));
  }

  /** Where they are. */
  #complete(values: Buffer, site: number, cycle: bigint): number[] {
    const places = recordConstant('SPIKES_KEPT');
    const first = site + this.#site.offset('kept') + Number(cycle & 1n) * places * this.#spike.size;
    return Array.from({ length: places }, (_, place) => first + place * this.#spike.size).filter(
      (at) => this.#spike.bigint(values, at, 'lookup.cycle') === cycle,
    );
  }

  #map(values: Buffer, at: number): SpikeMap {
    const value = (field: FieldOf<'spike'>) => this.#spike.number(values, at, field);
    return {
      entries: value('entries'),
      buckets: 2 ** value('log2_buckets'),
      homeBucket: value('home'),
      slots: 2 ** value('log2_slots'),
      usedSlots: value('used'),
      overflowBuckets: value('overflow'),
      tombstones: value('tombstones'),
      growing: value('growing') !== 0,
    };
  }

  /**
   * Which of a site's spikes to report. The oldest one says how many were suppressed since the last time.
   *
   * @param found how many were seen, those kept of the cycle that ends, and how many are kept of the next one already
   */
  #choose(
    key: string,
    functionIndex: number,
    { seen, kept, later }: { seen: number; kept: readonly Spike[]; later: number },
  ): Spike[] {
    const site = this.#sites.get(key) ?? { functionIndex, seen: 0, told: 0, accounted: 0, suppressed: 0 };
    this.#sites.set(key, site);
    site.seen = seen;
    const told = [...kept]
      .sort(byWorth)
      .slice(0, TOLD_PER_READ)
      .sort((a, b) => (a.time < b.time ? -1 : 1));
    site.told += told.length;
    // A spike may be handed out a moment before it is counted.
    const suppressed = site.seen - site.told - Math.min(later, TOLD_PER_READ);
    site.suppressed = Math.max(site.suppressed, suppressed);
    const [first] = told;
    if (first !== undefined) {
      first.suppressed = site.suppressed - site.accounted;
      site.accounted = site.suppressed;
    }
    const newest = told.map((spike) => ({ functionIndex, spike })).reverse();
    this.#latest = [...newest, ...this.#latest]
      .sort((a, b) => (a.spike.time > b.spike.time ? -1 : 1))
      .slice(0, LATEST);
    return told;
  }
}

/** Those that lead to a trace come first, then those that walked or compared most. */
function byWorth(a: Spike, b: Spike): number {
  return traceRank(b) - traceRank(a) || height(b) - height(a);
}

function height({ probeLength, keyComparisons }: Spike): number {
  return Math.max(probeLength, keyComparisons);
}
