import { largerMap } from '../../model/merge.ts';
import { OTHERS, OTHERS_NAME, type SourcePosition } from '../../model/position.ts';
import { type CallSiteStats, type MapState, NO_MAP } from '../../model/snapshot.ts';
import type { Namer } from '../../programs/naming/namer.ts';
import {
  type AggregateName,
  addCounted,
  type Counted,
  countedSince,
  nothingCounted,
} from '../../programs/readers/aggregate.ts';
import { type AggregateContents, complete } from '../../programs/readers/aggregates.ts';
import type { SiteBudget } from './site-budget.ts';
import { SiteChoice } from './site-choice.ts';
import { statsOf } from './stats.ts';

/** A call site with a map type: what is kept apart or not, with all lookup functions, hits and misses. One object for each. */
interface Site {
  readonly callSite: SourcePosition;
  readonly type: string;
  readonly underlyingType?: string;
}

/** What has been read at one moment. */
export interface Reading {
  /** Of the lookup functions that are observed, and of no others. */
  readonly contents: Pick<AggregateContents, 'forEach' | 'addTo'>;
  /** Lookups by name, of the same. */
  readonly counts: ReadonlyMap<AggregateName, number>;
  /** How many lookups were made under a name, estimated. */
  readonly estimateOf: (name: AggregateName) => number;
  /** Unix nanoseconds. */
  readonly time: bigint;
}

/** What was counted, by call site and type. */
export interface Told {
  readonly callSites: CallSiteStats[];
  readonly others: CallSiteStats[];
  /** Sites that are in `others` only. */
  readonly otherSites: number;
  /** Of all together, by enum inexact_reason. */
  readonly inexact: readonly number[];
}

/** What a name had counted when its site was admitted. */
interface Before {
  readonly counted: Counted;
  readonly estimated: number;
}

/** A name of a site that is kept apart. */
interface Kept {
  readonly before: Before | undefined;
  largest: MapState;
}

/** Lookups of all sites that are not kept apart, of one result. */
interface Others {
  readonly counted: Counted;
  estimated: number;
}

/**
 * Tells what was counted by call site and map type. The busiest sites are kept apart, as many as there is room for, and all others are
 * added up. A site that is admitted late has its own numbers from then on; what came before stays with the others, and one that
 * is given up for a busier one gives them back. So all together are all lookups, always.
 */
export class CallSites {
  readonly #namer: Pick<Namer, 'callSite' | 'mapType' | 'variant'>;
  readonly #budget: SiteBudget;
  readonly #now: () => number;
  readonly #choice = new SiteChoice<Site>();
  readonly #sites = new Map<SourcePosition, Map<string, Site>>();
  readonly #siteOf = new Map<AggregateName, Site>();
  readonly #kept = new Map<AggregateName, Kept>();
  /** Of sites that are kept apart and were not from the beginning: since when. */
  readonly #since = new Map<Site, bigint>();
  /** Sites whose lookups have been told, under their name or not. */
  #told = new Set<Site>();
  /** The largest maps of lookups that were not kept apart: of misses and of hits. */
  readonly #largestOthers = [NO_MAP, NO_MAP];
  /** Names are gone that may come back. */
  #hasForgotten = false;
  /** When lookups were told, by the observation's clock and by this process's. */
  #lastTime = 0n;
  #last: number;

  /** @param now milliseconds of a clock that goes on steadily */
  constructor(
    namer: Pick<Namer, 'callSite' | 'mapType' | 'variant'>,
    budget: SiteBudget,
    now: () => number = () => performance.now(),
  ) {
    this.#namer = namer;
    this.#budget = budget;
    this.#now = now;
    this.#last = now();
  }

  /** Takes in what was read, and tells it. */
  tell({ contents, counts, estimateOf, time }: Reading): Told {
    const sites = this.#choose(counts, time);
    const own = new Map<AggregateName, Counted>();
    const others = [false, true].map((): Others => ({ counted: nothingCounted(), estimated: 0 }));
    const othersOf = (hit: boolean): Others => others[Number(hit)] as Others;
    contents.forEach((name, at) => {
      if (!counts.has(name)) {
        return;
      }
      if (!this.isKept(name)) {
        contents.addTo(othersOf(name.hit).counted, at);
        return;
      }
      const counted = own.get(name) ?? nothingCounted();
      own.set(name, counted);
      contents.addTo(counted, at);
    });
    for (const { counted } of others) {
      complete(counted);
    }
    const inexact = others.map(({ counted }) => counted.inexact).reduce(sumOf);
    const callSites: CallSiteStats[] = [];
    let allInexact = inexact;
    for (const [name, counted] of own) {
      complete(counted);
      allInexact = sumOf(allInexact, counted.inexact);
      const kept = this.#keep(name, counted, { estimated: estimateOf(name), time });
      const since = this.#since.get(this.#site(name));
      const told = kept.before === undefined ? counted : countedSince(counted, kept.before.counted);
      if (kept.before !== undefined) {
        addCounted(othersOf(name.hit).counted, kept.before.counted);
        othersOf(name.hit).estimated += kept.before.estimated;
      }
      if (told.lookups > 0) {
        const estimated = estimateOf(name) - (kept.before?.estimated ?? 0);
        callSites.push({
          ...this.#identity(name),
          ...statsOf(told, estimated, kept.largest),
          ...(since !== undefined && { since }),
        });
      }
    }
    for (const name of counts.keys()) {
      if (!own.has(name)) {
        othersOf(name.hit).estimated += estimateOf(name);
      }
    }
    this.#told = new Set(sites.keys());
    return {
      callSites,
      others: [false, true].flatMap((hit) => this.#tellOthers(hit, othersOf(hit))),
      otherSites: sites.size - this.#choice.size,
      inexact: allInexact,
    };
  }

  /** Whether a name is of a site that is kept apart. */
  isKept(name: AggregateName): boolean {
    return !name.isOther && this.#choice.isKept(this.#site(name));
  }

  /** The names of each site that is not kept apart, the site with the fewest recent lookups first. */
  lightest(): AggregateName[][] {
    const names = Map.groupBy(this.#siteOf.keys(), (name) => this.#site(name));
    return this.#choice.lightest().map((site) => names.get(site) ?? []);
  }

  /** These names are gone, and count with those that have none. */
  forget(names: readonly AggregateName[]): void {
    this.#hasForgotten ||= names.length > 0;
    const sites = new Set(names.map((name) => this.#site(name)));
    for (const name of names) {
      this.#siteOf.delete(name);
    }
    for (const site of this.#siteOf.values()) {
      sites.delete(site);
    }
    for (const { callSite, type } of sites) {
      const types = this.#sites.get(callSite);
      types?.delete(type);
      if (types?.size === 0) {
        this.#sites.delete(callSite);
      }
    }
  }

  /** The observation has ended. */
  close(): void {
    this.#budget.release(this);
  }

  /** Decides which sites are kept apart from now on. @returns the lookups of all */
  #choose(counts: ReadonlyMap<AggregateName, number>, time: bigint): ReadonlyMap<Site, number> {
    const sites = new Map<Site, number>();
    for (const [name, lookups] of counts) {
      if (!name.isOther) {
        const site = this.#site(name);
        sites.set(site, (sites.get(site) ?? 0) + lookups);
      }
    }
    const now = this.#now();
    const most = this.#budget.share(this, sites.size);
    const { admitted, evicted } = this.#choice.update(sites, most, (now - this.#last) / 1000);
    this.#last = now;
    this.#giveUp(new Set(evicted));
    for (const site of admitted) {
      if (this.#told.has(site)) {
        this.#since.set(site, time);
      } else if (this.#hasForgotten) {
        // It may have been here before; all that is known of it now is of the time since the last call.
        this.#since.set(site, this.#lastTime);
      }
    }
    this.#lastTime = time;
    return sites;
  }

  #giveUp(sites: ReadonlySet<Site>): void {
    if (sites.size === 0) {
      return;
    }
    for (const [name, { largest }] of this.#kept) {
      if (sites.has(this.#site(name))) {
        this.#kept.delete(name);
        this.#noteOther(name.hit, largest);
      }
    }
    for (const site of sites) {
      this.#since.delete(site);
    }
  }

  /** Notes what is to be remembered of a name of a site that is kept apart. */
  #keep(
    name: AggregateName,
    counted: Counted,
    { estimated, time }: { estimated: number; time: bigint },
  ): Kept {
    let kept = this.#kept.get(name);
    if (kept === undefined) {
      // A name that comes up later, of a site that is kept apart already, has no lookups with the others.
      const isLate = this.#since.get(this.#site(name)) === time;
      kept = {
        before: isLate ? { counted: { ...counted, largest: NO_MAP }, estimated } : undefined,
        largest: NO_MAP,
      };
      this.#kept.set(name, kept);
    }
    kept.largest = largerMap(kept.largest, counted.largest);
    return kept;
  }

  #tellOthers(hit: boolean, { counted, estimated }: Others): CallSiteStats[] {
    this.#noteOther(hit, counted.largest);
    if (counted.lookups === 0) {
      return [];
    }
    const largest = this.#largestOthers[Number(hit)] ?? NO_MAP;
    return [
      {
        callSite: OTHERS,
        variant: OTHERS_NAME,
        type: OTHERS_NAME,
        hit,
        ...statsOf(counted, estimated, largest),
      },
    ];
  }

  #noteOther(hit: boolean, largest: MapState): void {
    this.#largestOthers[Number(hit)] = largerMap(this.#largestOthers[Number(hit)] ?? NO_MAP, largest);
  }

  #identity(
    name: AggregateName,
  ): Pick<CallSiteStats, 'callSite' | 'variant' | 'type' | 'underlyingType' | 'hit'> {
    return { ...this.#site(name), variant: this.#namer.variant(name), hit: name.hit };
  }

  #site(name: AggregateName): Site {
    const known = this.#siteOf.get(name);
    if (known !== undefined) {
      return known;
    }
    const callSite = this.#namer.callSite(name.caller);
    const named = this.#namer.mapType(name);
    const types = this.#sites.get(callSite) ?? new Map<string, Site>();
    this.#sites.set(callSite, types);
    const site = types.get(named.type) ?? { callSite, ...named };
    types.set(named.type, site);
    this.#siteOf.set(name, site);
    return site;
  }
}

function sumOf(a: readonly number[], b: readonly number[]): number[] {
  return a.map((count, i) => count + (b[i] ?? 0));
}
