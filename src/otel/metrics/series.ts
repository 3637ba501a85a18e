import type { Attributes } from '@opentelemetry/api';
import { groupAndMerge, type LookupStats } from '../../model/merge.ts';
import type { CallSiteStats } from '../../model/snapshot.ts';
import { attributesOf, type LookupIdentity, overflowAttributes, seriesKey } from '../contract/attributes.ts';
import type { AttributeKey } from '../contract/metrics.ts';

/** Everything seen under one set of point attributes. */
export interface Series {
  key: string;
  attributes: Attributes;
  stats: LookupStats;
}

/**
 * Groups call sites into series by one set of attributes, and bounds their number.
 *
 * When there is no room for all, the busiest come first. Once admitted, a series stays admitted, and one that went to the
 * overflow series stays there. So no cumulative series ever falls.
 */
export class SeriesGrouping {
  readonly #keys: readonly AttributeKey[];
  readonly #limit: number;
  readonly #admitted = new Set<string>();
  /** Keys of the series from the last call of `group`, by the key that a lookup would have without the limit. */
  #seriesByOwnKey = new Map<string, string>();
  #overflowed = 0;

  /** @param limit most series beside the overflow series */
  constructor(keys: readonly AttributeKey[], limit: number) {
    this.#keys = keys;
    this.#limit = limit;
  }

  /** Number of series that the last call of `group` merged into the overflow series. */
  get overflowed(): number {
    return this.#overflowed;
  }

  /** Key of the series in which the last call of `group` counted such lookups, or undefined if it had none. */
  seriesOf(lookup: LookupIdentity): string | undefined {
    return this.#seriesByOwnKey.get(seriesKey(attributesOf(lookup, this.#keys)));
  }

  group(callSites: readonly CallSiteStats[]): Series[] {
    const own = groupAndMerge(callSites, (callSite) => seriesKey(attributesOf(callSite, this.#keys)));
    own.sort((a, b) => b.stats.lookups - a.stats.lookups);
    const beyond = own.filter(({ key }) => !this.#admit(key));
    this.#overflowed = beyond.length;
    const rest = groupAndMerge(
      beyond.flatMap(({ members }) => members),
      (callSite) => seriesKey(overflowAttributes(callSite, this.#keys)),
    );
    this.#seriesByOwnKey = new Map(
      own.map(({ key, members }) => [
        key,
        this.#admitted.has(key) ? key : seriesKey(overflowAttributes(members[0], this.#keys)),
      ]),
    );
    return [
      ...own
        .filter(({ key }) => this.#admitted.has(key))
        .map(({ key, stats, members }) => ({ key, stats, attributes: attributesOf(members[0], this.#keys) })),
      ...rest.map(({ key, stats, members }) => ({
        key,
        stats,
        attributes: overflowAttributes(members[0], this.#keys),
      })),
    ];
  }

  #admit(key: string): boolean {
    if (this.#admitted.has(key)) {
      return true;
    }
    if (this.#admitted.size >= this.#limit) {
      return false;
    }
    this.#admitted.add(key);
    return true;
  }
}
