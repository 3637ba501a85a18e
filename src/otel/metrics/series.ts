import type { Attributes } from '@opentelemetry/api';
import { subtractDistribution } from '../../model/buckets.ts';
import { groupAndMerge, type LookupStats, mergeLookupStats } from '../../model/merge.ts';
import type { CallSiteStats, Snapshot } from '../../model/snapshot.ts';
import type { AttributeKey } from '../contract/attribute-names.ts';
import { attributesOf, type LookupIdentity, overflowAttributes, seriesKey } from '../contract/attributes.ts';

/** Everything seen under one set of point attributes. */
export interface Series {
  key: string;
  attributes: Attributes;
  stats: LookupStats;
  /** When it began to count; absent: with the observation. */
  since?: bigint;
  /** Present when it has ended. */
  ending?: Ending;
}

/** A series that has ended is sent until the receiver has its last state. */
export interface Ending {
  /** Names of the metrics whose last state has arrived. */
  readonly delivered: Set<string>;
}

/** What was observed by call site, type and result, kept apart or not. */
export type Lookups = Pick<Snapshot, 'callSites' | 'others'>;

/** Groups lookups into series by attributes: those whose values may fall. */
export function groupSeries({ callSites, others }: Lookups, keys: readonly AttributeKey[]): Series[] {
  return [
    ...seriesBy(callSites, (callSite) => attributesOf(callSite, keys)),
    ...seriesBy(others, (callSite) => overflowAttributes(callSite, keys)),
  ];
}

/** A series, and one of those that it is of. */
interface SeriesOf extends Series {
  readonly of: LookupIdentity;
}

function seriesBy(
  callSites: readonly CallSiteStats[],
  attributes: (of: CallSiteStats) => Attributes,
): SeriesOf[] {
  return groupAndMerge(callSites, (callSite) => seriesKey(attributes(callSite))).map(
    ({ key, stats, members: [first] }) => ({
      key,
      stats,
      attributes: attributes(first),
      of: first,
      ...(first.since !== undefined && { since: first.since }),
    }),
  );
}

/** Series that have ended and wait for the receiver. Beyond that the oldest ones are given up, and counted. */
const MOST_ENDING = 1000;

/** A series, from its begin to its end. */
interface Life extends Series {
  readonly overflowKey: string;
  /** Since when the call site is kept apart: another time is another life. */
  readonly keptSince: bigint | undefined;
  /** What it has told in this life, */
  readonly own: LookupStats;
  /** and in an earlier one. */
  readonly before?: LookupStats;
}

/**
 * Makes series of lookups so that none ever falls, while call sites come and go: the observation keeps only the busiest ones apart.
 *
 * A series ends when its call site is given up. What it has told stays told, and the overflow series counts what comes after;
 * so it leaves out what ended series have told. A call site that is kept apart again later begins a new series with the same
 * attributes and a later start, or goes on with the old one when that has not been delivered yet.
 */
export class LookupSeries {
  readonly #keys: readonly AttributeKey[];
  readonly #metrics: number;
  readonly #forget: (key: string) => void;
  #lives = new Map<string, Life>();
  readonly #ending = new Map<string, Life & { ending: Ending }>();
  /** What ended series have told, by the overflow series of their result. */
  readonly #ended = new Map<string, LookupStats>();
  #overflow = new Set<string>();
  #givenUp = 0;

  /**
   * @param metrics how many metrics each series is in
   * @param forget called with the key of a series that will not be sent any more
   */
  constructor(keys: readonly AttributeKey[], metrics: number, forget: (key: string) => void) {
    this.#keys = keys;
    this.#metrics = metrics;
    this.#forget = forget;
  }

  /** Series that were given up before the receiver had their last counts. */
  get givenUp(): number {
    return this.#givenUp;
  }

  /** Key of the series in which the last call of `update` counted such lookups, or undefined if it had none. */
  seriesOf(lookup: LookupIdentity): string | undefined {
    const own = seriesKey(attributesOf(lookup, this.#keys));
    const overflow = seriesKey(overflowAttributes(lookup, this.#keys));
    return this.#lives.has(own) ? own : this.#overflow.has(overflow) ? overflow : undefined;
  }

  /** The series of all lookups now. */
  update({ callSites, others }: Lookups): Series[] {
    this.#forgetDelivered();
    const lives = new Map<string, Life>();
    for (const series of seriesBy(callSites, (callSite) => attributesOf(callSite, this.#keys))) {
      const life = this.#lives.get(series.key);
      this.#lives.delete(series.key);
      if (life !== undefined && life.keptSince !== series.since) {
        this.#end(life);
      }
      const goesOn = life !== undefined && life.keptSince === series.since;
      lives.set(
        series.key,
        goesOn
          ? { ...life, own: series.stats, stats: together(life.before, series.stats) }
          : this.#begin(series),
      );
    }
    for (const life of this.#lives.values()) {
      this.#end(life);
    }
    this.#lives = lives;
    const overflow = this.#overflowSeries(others);
    this.#overflow = new Set(overflow.map(({ key }) => key));
    return [...lives.values(), ...this.#ending.values(), ...overflow];
  }

  #begin(series: SeriesOf): Life {
    const { of, ...others } = series;
    const overflowKey = seriesKey(overflowAttributes(of, this.#keys));
    const life = { ...others, overflowKey, keptSince: series.since, own: series.stats };
    const before = this.#ending.get(series.key);
    if (before === undefined) {
      return life;
    }
    this.#ending.delete(series.key);
    const { since: _since, ...again } = life;
    return {
      ...again,
      ...(before.since !== undefined && { since: before.since }),
      before: before.stats,
      stats: together(before.stats, series.stats),
    };
  }

  #end(life: Life): void {
    this.#ended.set(life.overflowKey, together(this.#ended.get(life.overflowKey), life.own));
    this.#ending.set(life.key, { ...life, ending: { delivered: new Set() } });
    const [oldest] = this.#ending.keys();
    if (this.#ending.size > MOST_ENDING && oldest !== undefined) {
      this.#ending.delete(oldest);
      this.#forget(oldest);
      this.#givenUp++;
    }
  }

  #forgetDelivered(): void {
    for (const [key, { ending }] of this.#ending) {
      if (ending.delivered.size >= this.#metrics) {
        this.#ending.delete(key);
        this.#forget(key);
      }
    }
  }

  /** Lookups that are in no other series. */
  #overflowSeries(others: readonly CallSiteStats[]): Series[] {
    return seriesBy(others, (callSite) => overflowAttributes(callSite, this.#keys)).flatMap((series) => {
      const ended = this.#ended.get(series.key);
      const stats = ended === undefined ? series.stats : without(series.stats, ended);
      return stats.lookups > 0 || this.#overflow.has(series.key) ? [{ ...series, stats }] : [];
    });
  }
}

function together(a: LookupStats | undefined, b: LookupStats): LookupStats {
  return a === undefined ? b : mergeLookupStats(a, b);
}

/** Counts without a part of them. What is no count is that of the whole. */
function without(whole: LookupStats, part: LookupStats): LookupStats {
  return {
    ...whole,
    lookups: whole.lookups - part.lookups,
    estimatedLookups: Math.max(0, whole.estimatedLookups - part.estimatedLookups),
    probeLength: subtractDistribution(whole.probeLength, part.probeLength),
    keyComparisons: subtractDistribution(whole.keyComparisons, part.keyComparisons),
    homePosition: subtractDistribution(whole.homePosition, part.homePosition),
    loadFactor: subtractDistribution(whole.loadFactor, part.loadFactor),
    growing: whole.growing - part.growing,
    inexact: whole.inexact - part.inexact,
  };
}
