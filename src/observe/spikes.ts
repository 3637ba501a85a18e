import { addon, type ProbeObject } from '../kernel/addon.ts';
import { RecordReader, recordConstant } from '../kernel/records.ts';
import { traceRank } from '../model/candidate.ts';
import type { Spike, SpikeMap } from '../model/spike.ts';
import { type AggregateName, decodeName } from './aggregates.ts';
import { ExemplarRecordReader } from './exemplarrecord.ts';
import type { Namer } from './naming.ts';

/** Spikes told of one site at each read. */
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
   * @param isObserved whether a lookup function is to be told of
   */
  async read(
    program: ProbeObject,
    cycle: bigint,
    isObserved: (functionIndex: number) => boolean,
  ): Promise<Spike[]> {
    const { keys, values, count, cpus } = await program.readPerCpuMap('spike_sites');
    const offset = addon.monotonicToEpoch();
    const told: Spike[] = [];
    for (let i = 0; i < count; i++) {
      const [caller, type] = [this.#word(keys, i, 'caller'), this.#word(keys, i, 'type')];
      const name = decodeName(caller, type);
      if (!isObserved(name.functionIndex)) continue;
      const starts = Array.from({ length: cpus }, (_, cpu) => (i * cpus + cpu) * this.#site.size);
      const kept = starts.flatMap((at) => this.#kept(name, values, at, cycle, offset));
      const seen = starts.reduce((sum, at) => sum + this.#site.number(values, at, 'seen'), 0);
      told.push(...this.#choose(`${caller} ${type}`, name.functionIndex, seen, kept));
    }
    return told.sort((a, b) => (a.time < b.time ? -1 : 1));
  }

  /** Since the start; lookup functions that are not told of left out. */
  totals(isObserved: (functionIndex: number) => boolean): { seen: number; told: number; latest: Spike[] } {
    const sites = [...this.#sites.values()].filter((site) => isObserved(site.functionIndex));
    return {
      seen: sites.reduce((sum, site) => sum + site.seen, 0),
      told: sites.reduce((sum, site) => sum + site.told, 0),
      latest: this.#latest.filter((one) => isObserved(one.functionIndex)).map((one) => one.spike),
    };
  }

  #word(keys: Buffer, index: number, field: string): bigint {
    return this.#key.bigint(keys, index * this.#key.size, field);
  }

  /** The complete spikes of one cycle on one CPU. */
  #kept(name: AggregateName, values: Buffer, site: number, cycle: bigint, offset: bigint): Spike[] {
    const places = recordConstant('SPIKES_KEPT');
    const first = site + this.#site.offset('kept') + Number(cycle & 1n) * places * this.#spike.size;
    return Array.from({ length: places }, (_, place) => first + place * this.#spike.size)
      .filter((at) => this.#spike.bigint(values, at, 'lookup.cycle') === cycle)
      .map((at) => ({
        ...this.#lookups.read(name, values, at + this.#spike.offset('lookup.cycle'), offset),
        probeLengthLimit: this.#spike.number(values, at, 'probe_length_limit'),
        keyComparisonsLimit: this.#spike.number(values, at, 'key_comparisons_limit'),
        map: this.#map(values, at),
        suppressed: 0,
      }));
  }

  #map(values: Buffer, at: number): SpikeMap {
    const value = (field: string) => this.#spike.number(values, at, field);
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

  /** Those of a site's spikes that are told. The oldest one says how many have not been since the last time. */
  #choose(key: string, functionIndex: number, seen: number, kept: readonly Spike[]): Spike[] {
    const site = this.#sites.get(key) ?? { functionIndex, seen: 0, told: 0, accounted: 0 };
    this.#sites.set(key, site);
    site.seen = seen;
    const told = [...kept]
      .sort(byWorth)
      .slice(0, TOLD_PER_READ)
      .sort((a, b) => (a.time < b.time ? -1 : 1));
    site.told += told.length;
    const [first] = told;
    if (first !== undefined) {
      // A spike that ends while this is read may be told before it is counted.
      first.suppressed = Math.max(0, site.seen - site.told - site.accounted);
      site.accounted += first.suppressed;
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
