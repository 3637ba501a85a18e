/** What the lookups seen in one span cost. */
export interface SpanCost {
  /** 32 hexadecimal digits. */
  traceId: string;
  /** 16 hexadecimal digits. */
  spanId: string;
  /** Whether the span is recorded; absent when that is not known. */
  sampled?: boolean;
  /** The goroutine on which the span began. */
  goroutine: number;
  lookups: number;
  hits: number;
  /** Buckets or groups visited, of all lookups together. */
  probes: number;
  keyComparisons: number;
  /** A key comparison goes part by part: a number or string is one part, a structure as many as it has fields. */
  partsCompared: number;
}

/** All lookups by the span they were made in: `kept`, `other` and `outside` together are the whole. */
export interface SpanCosts {
  /** The spans that are kept, a bounded number, in no particular order. */
  kept: readonly SpanCost[];
  /** Lookups of spans that are not, the lighter ones. */
  otherLookups: number;
  /** Lookups that are counted for no span, by reason: `no_span` (in none that is known), `no_room`. */
  outside: Readonly<Record<string, number>>;
}

/**
 * What lookups take, roughly, in nanoseconds, when map and keys are in the processor's caches: a lookup as such, each group or
 * bucket after the first, each compared part of a key after the first. Measured with Go 1.26 on an x86-64 machine. Maps that
 * are not in a cache take ten times as long, and so do the first lookups of any.
 */
const LOOKUP_NANOS = 12;
const FURTHER_PROBE_NANOS = 4;
const FURTHER_PART_NANOS = 6;

/** A rough estimate of what the lookups took, in nanoseconds: rather too little, see above. */
export function estimatedNanoseconds({
  lookups,
  probes,
  partsCompared,
}: Pick<SpanCost, 'lookups' | 'probes' | 'partsCompared'>): number {
  return (
    lookups * LOOKUP_NANOS +
    (probes - lookups) * FURTHER_PROBE_NANOS +
    Math.max(0, partsCompared - lookups) * FURTHER_PART_NANOS
  );
}

/** Spans kept at most. */
const DEFAULT_ROOM = 2048;

/**
 * Keeps the spans whose lookups took longest by the estimate, in bounded memory. A span that made way for heavier ones and
 * comes again starts from 0; what it had is in `otherLookups`.
 */
export class HeaviestSpans {
  readonly #room: number;
  readonly #kept = new Map<string, SpanCost>();
  #otherLookups = 0;

  constructor(room = DEFAULT_ROOM) {
    this.#room = room;
  }

  /** Adds what spans have cost since the last call. */
  add(increases: readonly SpanCost[]): void {
    for (const increase of increases) {
      const key = `${increase.traceId} ${increase.spanId}`;
      const before = this.#kept.get(key);
      this.#kept.set(key, before === undefined ? increase : sum(before, increase));
    }
    if (this.#kept.size <= this.#room) {
      return;
    }
    // Half of the room is made free at once, so that sorting is rare.
    for (const [key, { lookups }] of [...this.#kept].sort(byTime).slice(this.#room / 2)) {
      this.#kept.delete(key);
      this.#otherLookups += lookups;
    }
  }

  costs(outside: Readonly<Record<string, number>>): SpanCosts {
    return { kept: [...this.#kept.values()], otherLookups: this.#otherLookups, outside };
  }
}

function sum(a: SpanCost, b: SpanCost): SpanCost {
  return {
    ...a,
    lookups: a.lookups + b.lookups,
    hits: a.hits + b.hits,
    probes: a.probes + b.probes,
    keyComparisons: a.keyComparisons + b.keyComparisons,
    partsCompared: a.partsCompared + b.partsCompared,
  };
}

function byTime([, a]: [string, SpanCost], [, b]: [string, SpanCost]): number {
  return estimatedNanoseconds(b) - estimatedNanoseconds(a) || (a.spanId < b.spanId ? -1 : 1);
}

/** The `most` spans whose lookups took longest, heaviest first, and the lookups of all other spans. */
export function heaviestSpans(
  { kept, otherLookups }: SpanCosts,
  most: number,
): { heaviest: SpanCost[]; otherLookups: number } {
  const sorted = kept.map((cost): [string, SpanCost] => ['', cost]).sort(byTime);
  return {
    heaviest: sorted.slice(0, most).map(([, cost]) => cost),
    otherLookups: sorted.slice(most).reduce((total, [, { lookups }]) => total + lookups, otherLookups),
  };
}
