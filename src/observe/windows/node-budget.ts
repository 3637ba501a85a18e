/** What one target may cost, of what all targets of this process together may. */
export interface BudgetShare {
  /**
   * @param floor CPU seconds per second that it gets whatever others want, once it has got them
   * @param wanted what it would use
   * @returns what it may use, at most `wanted`
   */
  take(floor: number, wanted: number): number;
  /** How many there are that have taken something. */
  readonly targets: number;
  /** To be called when it is observed no longer. */
  leave(): void;
}

interface Member {
  floor: number;
  wanted: number;
}

/**
 * Shares CPU seconds per second out among targets: first each gets its floor, in the order in which they have come, so that a new one takes
 * none below its floor; of the rest all get the same, and who wants less leaves it to the others.
 */
export class NodeBudget {
  #capacity: number;
  /** In the order in which they have come. */
  readonly #members = new Set<Member>();

  /** @param capacity CPU seconds per second */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** @param capacity CPU seconds per second, which the targets share from the next window on */
  setCapacity(capacity: number): void {
    this.#capacity = capacity;
  }

  /** For one target, which has come when it takes something for the first time. */
  join(): BudgetShare {
    const member: Member = { floor: 0, wanted: 0 };
    const members = this.#members;
    return {
      get targets() {
        return members.size;
      },
      take: (floor, wanted) => {
        this.#members.add(member);
        member.floor = floor;
        member.wanted = wanted;
        return this.#partOf(member);
      },
      leave: () => {
        this.#members.delete(member);
      },
    };
  }

  #partOf(member: Member): number {
    // As a rule, and asked for several times a second by each target.
    if (this.#wanted() <= this.#capacity) {
      return member.wanted;
    }
    let left = this.#capacity;
    const floors = new Map<Member, number>();
    for (const other of this.#members) {
      const floor = Math.min(other.floor, other.wanted, left);
      floors.set(other, floor);
      left -= floor;
    }
    const further = [...floors].map(([other, floor]) => other.wanted - floor);
    const own = floors.get(member) ?? 0;
    return own + Math.min(member.wanted - own, evenPart(left, further));
  }

  #wanted(): number {
    let sum = 0;
    for (const { wanted } of this.#members) {
      sum += wanted;
    }
    return sum;
  }
}

/** The most that each may take of an amount, when all may take the same and those who want less leave it to the others. */
function evenPart(amount: number, wanted: readonly number[]): number {
  let left = amount;
  const ascending = wanted.toSorted((a, b) => a - b);
  for (const [i, want] of ascending.entries()) {
    const even = left / (ascending.length - i);
    if (want >= even) {
      return even;
    }
    left -= want;
  }
  return Number.POSITIVE_INFINITY;
}
