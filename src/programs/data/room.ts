/* How much room the programs' maps have, given how many CPUs there may be: what all of it takes has a bound (docs/design/0013). */
import { EXIT, messageOf, UserError } from '../../base/errors.ts';
import { addon } from '../../kernel/addon.ts';
import { encodeWord, RecordReader, recordConstant } from '../../kernel/records.ts';

/** Of the 16 MB that a target may take, what is left for aggregates: less than this, */
const AGGREGATE_BYTES = 13.3e6;

/** less what everything else takes for each CPU. */
const OTHER_BYTES_PER_CPU = 7000;

/** Aggregates that a CPU may have for itself, where there is room for that. */
const OWN_AGGREGATES = 512;

/** Scratch for hits that find their CPU's own taken, at least: threads that were preempted in the middle of a hit. */
const LEAST_COMMON_SCRATCH = 64;

/** Size of an array, and what the program must know of it. */
export interface Room {
  readonly entries: number;
  readonly readOnlyData: Readonly<Record<string, Buffer>>;
}

/** The same of aggregates. */
export interface AggregateRoom extends Room {
  /** Of the table of places, and of the ring of aggregates that were taken back. */
  readonly places: number;
  /** Aggregates that have names. */
  readonly named: number;
}

/**
 * How many processors the kernel has memory for.
 *
 * @throws UserError when it does not say so
 */
export function possibleCpus(): number {
  try {
    return addon.possibleCpus();
  } catch (error) {
    throw new UserError(`Nothing can be counted: ${messageOf(error)}.`, EXIT.cannotObserve, { cause: error });
  }
}

/** Size of a hash table in which the program finds so many entries: a power of two, and never more than half full. */
export function hashPlaces(entries: number): number {
  return powerOfTwo(2 * entries);
}

function powerOfTwo(least: number): number {
  return 2 ** Math.max(1, Math.ceil(Math.log2(least)));
}

/** Scratch (bpf/lib/scratch.bpf.h): one for each CPU, and some for all of them. */
export function scratchRoom(cpus: number): Room {
  const common = powerOfTwo(Math.max(LEAST_COMMON_SCRATCH, cpus / 2));
  return {
    entries: cpus + common,
    readOnlyData: { scratch_cpus: encodeWord(cpus), scratch_common: encodeWord(common) },
  };
}

/**
 * Aggregates (bpf/counts/aggregate.bpf.h): as many for each CPU as there is memory for. Those that all share have room for as many
 * names as wanted, or as there is memory for, and for the lookups under all other names: one for each function and result.
 */
export function aggregateRoom(names: number, cpus: number): AggregateRoom {
  const bytes = AGGREGATE_BYTES - OTHER_BYTES_PER_CPU * cpus;
  // Each function has a probe site.
  const others = 2 * recordConstant('MAX_PROBE_SITES');
  // CPUs that ask at the same moment may take one each beyond a limit.
  const fitting = Math.floor(bytes / new RecordReader('aggregate').size) - others - 2 * cpus;
  const shared = Math.min(names, fitting - cpus);
  const own = Math.max(cpus, Math.min(fitting - shared, cpus * Math.min(names, OWN_AGGREGATES)));
  const named = own + cpus + shared;
  const entries = named + cpus + others;
  const places = hashPlaces(entries);
  return {
    entries,
    places,
    named,
    readOnlyData: {
      own_aggregates: encodeWord(own),
      named_aggregates: encodeWord(named),
      aggregate_table: encodeWord(places),
    },
  };
}
