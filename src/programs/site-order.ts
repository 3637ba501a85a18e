/** Share of a target's hits that sites may have together and still count as quiet. */
const QUIET_SHARE = 0.01;

/** What a site's earlier hits still count when a window more is known. */
const MEMORY = 0.5;

/**
 * In which order probe sites go in: those that are hit most last. The kernel puts breakpoints in, and takes them out, one by
 * one, and hits meanwhile cost the target something and yield nothing (docs/design/0006-governor.md).
 */
export class SiteOrder {
  /** Numbers of the sites, from the least to the most busy: the same array until that changes. */
  order: readonly number[];
  /** How many of them, the last ones, have nearly all of the hits: some, and not all, so that those go in on their own. */
  busy: number;
  readonly #heat: number[];
  #counted: readonly number[] = [];

  constructor(sites: number) {
    this.order = Array.from({ length: sites }, (_, site) => site);
    this.#heat = this.order.map(() => 0);
    this.busy = Math.floor(sites / 2);
  }

  /** @param hits of each site since the start, or a sample of them */
  learn(hits: readonly number[]): void {
    const latest = this.#heat.map((_, site) => (hits[site] ?? 0) - (this.#counted[site] ?? 0));
    if (latest.every((count) => count === 0)) {
      return;
    }
    latest.forEach((count, site) => {
      this.#heat[site] = MEMORY * (this.#heat[site] ?? 0) + count;
    });
    this.#counted = [...hits];
    const heat = (site: number) => this.#heat[site] ?? 0;
    const order = this.order.toSorted((a, b) => heat(a) - heat(b));
    if (order.some((site, place) => site !== this.order[place])) {
      this.order = order;
    }
    const total = this.#heat.reduce((sum, one) => sum + one, 0);
    let sum = 0;
    const quiet = this.order.findIndex((site) => {
      sum += heat(site);
      return sum > QUIET_SHARE * total;
    });
    this.busy = this.order.length - Math.max(quiet, 1);
  }
}
