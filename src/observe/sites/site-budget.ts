/** How many times as many call sites as one target all targets together keep apart. */
const TOGETHER = 2;

/**
 * Divides how many call sites may be kept apart among the targets of a process, because its memory is one. Nobody gets more than
 * he needs, and who needs more than there is for each gets as much as every other one (max-min fairness).
 */
export class SiteBudget {
  readonly #each: number;
  readonly #together: number;
  /** By target: how many call sites it has. */
  readonly #needs = new Map<object, number>();

  /** @param each most that one target keeps apart */
  constructor(each: number, together: number = TOGETHER * each) {
    this.#each = each;
    this.#together = together;
  }

  /** How many a target may keep apart that has so many; at least one. */
  share(target: object, sites: number): number {
    this.#needs.set(target, Math.min(sites, this.#each));
    const needs = [...this.#needs.values()].sort((a, b) => a - b);
    let left = this.#together;
    for (const [i, need] of needs.entries()) {
      const fair = Math.floor(left / (needs.length - i));
      if (need > fair) {
        return Math.max(1, Math.min(this.#each, fair));
      }
      left -= need;
    }
    return Math.max(1, this.#each);
  }

  /** The target has ended. */
  release(target: object): void {
    this.#needs.delete(target);
  }
}
