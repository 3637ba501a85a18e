/** After so long without a lookup half of a site's weight is left. */
const HALF_LIFE_SECONDS = 60;

/** How many times as much as another one a site must weigh to take its place: small differences move nobody. */
const HEAVIER = 2;

/** What is known of a site. */
interface Weighed {
  lookups: number;
  weight: number;
}

/** Sites that are kept apart from now on, and those that no longer are. */
export interface Changes<Site> {
  readonly admitted: readonly Site[];
  readonly evicted: readonly Site[];
}

/**
 * Chooses which sites are kept apart: the busiest ones. Sites are ranked by their recent lookups; those of a minute ago count
 * half. Where there is no room for all, one takes the place of the lightest when it weighs twice as much.
 */
export class SiteChoice<Site> {
  #known = new Map<Site, Weighed>();
  readonly #kept = new Set<Site>();

  isKept(site: Site): boolean {
    return this.#kept.has(site);
  }

  /** Sites that are not kept apart, the lightest first. */
  lightest(): Site[] {
    return this.#byWeight((site) => !this.#kept.has(site)).reverse();
  }

  /** How many are kept apart. */
  get size(): number {
    return this.#kept.size;
  }

  /**
   * @param lookups of all sites, since the start
   * @param most that are kept apart from now on
   * @param seconds since the last call
   */
  update(lookups: ReadonlyMap<Site, number>, most: number, seconds: number): Changes<Site> {
    this.#weigh(lookups, 2 ** (-seconds / HALF_LIFE_SECONDS));
    const evicted = [...this.#kept].filter((site) => !this.#known.has(site));
    for (const site of evicted) {
      this.#kept.delete(site);
    }
    const lightest = this.#byWeight((site) => this.#kept.has(site)).reverse();
    const heaviest = this.#byWeight((site) => !this.#kept.has(site));
    const admitted: Site[] = [];
    const evict = (): void => {
      const site = lightest.shift();
      if (site !== undefined) {
        this.#kept.delete(site);
        evicted.push(site);
      }
    };
    while (this.#kept.size > most) {
      evict();
    }
    for (const site of heaviest) {
      if (this.#kept.size >= most) {
        const [other] = lightest;
        if (other === undefined || this.#weight(site) <= HEAVIER * this.#weight(other)) {
          break;
        }
        evict();
      }
      this.#kept.add(site);
      admitted.push(site);
    }
    return { admitted, evicted };
  }

  #weigh(lookups: ReadonlyMap<Site, number>, left: number): void {
    const known = new Map<Site, Weighed>();
    for (const [site, count] of lookups) {
      const before = this.#known.get(site) ?? { lookups: 0, weight: 0 };
      // Of functions that are left out since, no lookups count any more.
      const increase = Math.max(0, count - before.lookups);
      known.set(site, { lookups: count, weight: before.weight * left + increase });
    }
    this.#known = known;
  }

  #byWeight(wanted: (site: Site) => boolean): Site[] {
    return [...this.#known.keys()].filter(wanted).sort((a, b) => this.#weight(b) - this.#weight(a));
  }

  #weight(site: Site): number {
    return this.#known.get(site)?.weight ?? 0;
  }
}
