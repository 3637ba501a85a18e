import { ByteReader, ByteWriter } from './bytes.ts';
import { addTally, emptyTally, readTally, type Tally, writeTally } from './tally.ts';

/*
 * What was seen between two snapshots. Its numbers are differences, so that those of successive intervals add up to what the
 * snapshots say. It travels as bytes: `head` is of all call sites together, `cells` has a cell for each call site and result.
 */

/** Facts about an interval. Times are microseconds since 1970; what is not known is null. */
export interface IntervalFacts {
  /** Number of the first and the last snapshot in it; those of one snapshot are equal. */
  first: number;
  last: number;
  start: number;
  end: number;
  /** Time during which lookups were decoded. */
  attached: number;
  windows: number;
  fullWindows: number;
  /** Hits of probe sites, and what became of them. */
  hits: number;
  lost: number;
  notDecoded: number;
  leftOut: number;
  /** What observation has cost the target, and what it has used, in nanoseconds of CPU time. */
  cost: number;
  targetCpu: number | null;
  stops: number;
  spikes: number | null;
  /** At its end, of all since the start: windows; the standard error of the estimated lookups, and how much they may be too low, in millionths. */
  windowsSoFar: number;
  errorSoFar: number | null;
  shortfallSoFar: number | null;
}

const COUNTS = [
  'attached',
  'windows',
  'fullWindows',
  'hits',
  'lost',
  'notDecoded',
  'leftOut',
  'cost',
  'stops',
] as const;
const OPTIONAL = ['targetCpu', 'spikes'] as const;
const AT_THE_END = ['errorSoFar', 'shortfallSoFar'] as const;

/** The state of the map that a call site looked into last. */
export interface MapShape {
  entries: number;
  buckets: number;
  overflowBuckets: number;
  tombstones: number;
  directory: number;
}

/** What one call site's hits, or misses, were in an interval. */
export interface Cell {
  /** Twice the number of the call site; one more for hits. */
  id: number;
  tally: Tally;
  map: MapShape;
}

/** An interval as bytes. */
export interface PackedInterval {
  head: Uint8Array;
  /** Absent where memory did not suffice: then what its call sites did is not known. */
  cells: Uint8Array | undefined;
}

/** The head of an interval, read. */
export interface Head {
  facts: IntervalFacts;
  hits: Tally;
  misses: Tally;
}

export function packInterval(facts: IntervalFacts, cells: readonly Cell[]): PackedInterval {
  const hits = emptyTally();
  const misses = emptyTally();
  for (const { id, tally } of cells) {
    addTally(id % 2 === 1 ? hits : misses, tally);
  }
  return { head: packHead({ facts, hits, misses }), cells: packCells(cells) };
}

function packHead({ facts, hits, misses }: Head): Uint8Array {
  const to = new ByteWriter();
  to.number(facts.first);
  to.number(facts.last - facts.first);
  to.number(facts.start);
  to.number(facts.end - facts.start);
  for (const name of COUNTS) {
    to.number(facts[name]);
  }
  to.number(facts.windowsSoFar);
  for (const name of [...OPTIONAL, ...AT_THE_END]) {
    to.optional(facts[name]);
  }
  writeTally(to, hits);
  writeTally(to, misses);
  return to.take();
}

/** @throws RangeError when the bytes are damaged */
export function readHead(bytes: Uint8Array): Head {
  const from = new ByteReader(bytes);
  const first = from.number();
  const last = first + from.number();
  const start = from.number();
  const facts = { first, last, start, end: start + from.number() } as IntervalFacts;
  for (const name of COUNTS) {
    facts[name] = from.number();
  }
  facts.windowsSoFar = from.number();
  for (const name of [...OPTIONAL, ...AT_THE_END]) {
    facts[name] = from.optional();
  }
  const hits = emptyTally();
  const misses = emptyTally();
  readTally(from, hits);
  readTally(from, misses);
  return { facts, hits, misses };
}

/** @param cells in ascending order of their ids */
function packCells(cells: readonly Cell[]): Uint8Array {
  const to = new ByteWriter();
  const body = new ByteWriter();
  let before = -1;
  for (const { id, tally, map } of cells) {
    to.number(id - before - 1);
    before = id;
    writeTally(body, tally);
    for (const value of [map.entries, map.buckets, map.overflowBuckets, map.tombstones, map.directory]) {
      body.number(value);
    }
    to.block(body.take());
  }
  return to.take();
}

/**
 * Goes through the cells of an interval.
 *
 * @param wants whether a cell is to be read; the others are skipped
 * @param take its arguments are only good until it returns
 * @throws RangeError when the bytes are damaged
 */
export function eachCell(
  bytes: Uint8Array,
  wants: (id: number) => boolean,
  take: (id: number, tally: Tally, map: MapShape) => void,
): void {
  const from = new ByteReader(bytes);
  const tally = emptyTally();
  for (let id = -1; !from.isAtEnd; ) {
    id += 1 + from.number();
    const body = from.block();
    if (wants(id)) {
      const within = new ByteReader(body);
      tally.fill(0);
      readTally(within, tally);
      take(id, tally, {
        entries: within.number(),
        buckets: within.number(),
        overflowBuckets: within.number(),
        tombstones: within.number(),
        directory: within.number(),
      });
    }
  }
}

/** Every cell is wanted. */
export const ALL_CELLS = (): boolean => true;

/** Successive intervals as one. Without the cells of one of them it has none. */
export function foldIntervals(intervals: readonly PackedInterval[]): PackedInterval {
  const heads = intervals.map(({ head }) => readHead(head));
  const [first, ...others] = heads;
  if (first === undefined) {
    throw new RangeError('no intervals');
  }
  const facts = others.reduce((sum, head) => foldFacts(sum, head.facts), { ...first.facts });
  const sum = (which: 'hits' | 'misses') => {
    const tally = emptyTally();
    for (const head of heads) {
      addTally(tally, head[which]);
    }
    return tally;
  };
  return {
    head: packHead({ facts, hits: sum('hits'), misses: sum('misses') }),
    cells: foldCells(intervals),
  };
}

function foldFacts(a: IntervalFacts, b: IntervalFacts): IntervalFacts {
  const sum = { ...b, first: a.first, start: a.start };
  for (const name of COUNTS) {
    sum[name] = a[name] + b[name];
  }
  for (const name of OPTIONAL) {
    const [one, other] = [a[name], b[name]];
    sum[name] = one === null || other === null ? null : one + other;
  }
  return sum;
}

function foldCells(intervals: readonly PackedInterval[]): Uint8Array | undefined {
  const cells = new Map<number, Cell>();
  for (const { cells: bytes } of intervals) {
    if (bytes === undefined) {
      return undefined;
    }
    eachCell(bytes, ALL_CELLS, (id, tally, map) => {
      const known = cells.get(id);
      if (known === undefined) {
        cells.set(id, { id, tally: tally.slice(), map });
      } else {
        addTally(known.tally, tally);
        known.map = map;
      }
    });
  }
  return packCells([...cells.values()].sort((a, b) => a.id - b.id));
}
