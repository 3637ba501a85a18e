/*
 * Decides when a window opens, for how long, and after how many hits it ends: without clock, kernel or timer, so that it
 * can be simulated. Time and cost come in, decisions go out. The reasons are in docs/design/0006-governor.md.
 */

import type { WindowPlan } from '../../programs/lookup-program.ts';
import { busyCpus, type Costs, floorRate, type Load, windowCost } from './costs.ts';
import {
  BUSY_CPU,
  CPU_MEMORY,
  INCOME_MEMORY,
  LEAST_CPU,
  LEAST_RATE,
  LIMITS,
  OTHERS,
  OTHERS_CREDIT,
  OTHERS_SAVED,
  PAID_BEFORE,
  PLANNED,
  RESERVED,
  SAVED,
  SPENT_WITHIN,
  STOPPING_WINDOWS,
  WINDOW_MEMORY,
  WINDOW_WEIGHT,
} from './limits.ts';
import type { BudgetShare } from './node-budget.ts';

export interface EndedWindow {
  readonly openSeconds: number;
  /** From before the attach until after the detach. */
  readonly load: Load;
  /** All hits, also those while breakpoints were put in and taken out. */
  readonly hits: number;
  readonly decoded: number;
  /** It ended at its hit limit. */
  readonly full: boolean;
  /** For how long it kept others from what they need: any process that forks, and all that run the target's file; null: not known. */
  readonly lockedSeconds: number | null;
}

export type Decision =
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'open'; readonly window: WindowPlan };

interface Plan extends WindowPlan {
  readonly distance: number;
  readonly cost: number;
  /** How many seconds it takes to be allowed such a window. */
  readonly earned: number;
}

/**
 * An account of CPU seconds: the target's use of CPU fills it, at the rate of the budget; what windows have really cost is
 * taken from it. A window opens when a random time has passed and the account covers half of what it is expected to cost. After a
 * window that cost more than there was, the account is in debt, and the next one waits until that is paid. Other probes have an account
 * of their own, which part of the budget fills first; what they do not need flows on to the windows.
 */
export class Governor {
  /** How often the budget could not be kept. */
  stops = 0;
  #budget: number;
  readonly #random: () => number;
  readonly #share: BudgetShare | undefined;
  /** CPU seconds per second, if other targets leave less than this one would use. */
  #limit = Number.POSITIVE_INFINITY;
  readonly #othersPart: number;
  #account = 0;
  /** CPUs that the target keeps busy. */
  #cpus = 0;
  /** Account of the other probes. They pause from when it is empty until it is half full. */
  #others: number = OTHERS_CREDIT;
  #othersPause = false;
  /** Kept for when other probes are back: lookups are worth more then. */
  #reserve = 0;
  /** They are back, and what was kept has not been spent yet. */
  #isRich = false;
  /** The share of the allowance that windows got recently. */
  #windowsPart = 1;
  /** Of the target's CPU time, in windows: lookups decoded per second, and further hits per window. */
  #known: { lookupsPerCpu: number; furtherPerCpu: number } | undefined;
  /** For how long a window keeps others waiting, as a rule. */
  #lockedSeconds: number | undefined;
  /** Since the last window began. */
  #passed = 0;
  /** Random factor of the distance to the next window, drawn for each. */
  #draw: number;
  #postponed = 0;
  /** Seconds until the next try, while the budget cannot be kept. */
  #stopped: number | undefined;
  #backOff: number = LIMITS.firstBackOff;
  /** Windows in a row after which the next one could not be afforded. */
  #unaffordable = 0;

  /**
   * @param budget share of the target's CPU time that observation may cost
   * @param random numbers from 0 to 1
   * @param others there are other probes than those of windows
   * @param share its share of what all targets may cost; without it that is no limit
   */
  constructor(
    budget: number,
    random: () => number = Math.random,
    others = false,
    share: BudgetShare | undefined = undefined,
  ) {
    this.#budget = budget;
    this.#random = random;
    this.#share = share;
    this.#draw = random();
    this.#othersPart = others ? OTHERS : 0;
  }

  /** Sets the share of the target's CPU time that observation may cost from now on. */
  setBudget(budget: number): void {
    this.#budget = budget;
  }

  /** The budget cannot be kept at present: not even by the smallest window at the longest distance. */
  get stopped(): boolean {
    return this.#stopped !== undefined;
  }

  /** Other probes cost too much of the budget: they are to pause. */
  get pausesOthers(): boolean {
    return this.#othersPause;
  }

  /** What other targets may cost keeps this one below its own budget. */
  get isCrowded(): boolean {
    return this.#limit !== Number.POSITIVE_INFINITY;
  }

  /** CPU seconds per second that observation may cost now. */
  allowance(costs: Costs): number {
    return Math.min(this.#wanted(costs), this.#limit);
  }

  /** The same without regard to other targets. */
  #wanted(costs: Costs): number {
    return Math.max(PLANNED * this.#budget * this.#cpus, floorRate(costs));
  }

  #takeShare(costs: Costs): void {
    if (this.#share !== undefined) {
      const wanted = this.#wanted(costs);
      const part = this.#share.take(floorRate(costs), wanted);
      this.#limit = part < wanted ? Math.max(part, LEAST_RATE) : Number.POSITIVE_INFINITY;
    }
  }

  /** Takes in what has happened while nothing was attached. */
  elapse(load: Load, costs: Costs): void {
    this.#passed += load.seconds;
    if (this.#stopped !== undefined) {
      this.#stopped -= load.seconds;
    }
    if (load.seconds <= 0) {
      return;
    }
    this.#cpus += (1 - Math.exp(-load.seconds / CPU_MEMORY)) * (busyCpus(load) - this.#cpus);
    this.#takeShare(costs);
    const own = Math.max(PLANNED * this.#budget * load.cpuSeconds, floorRate(costs) * load.seconds);
    const earned = Math.min(own, this.#limit * load.seconds);
    const left = this.#payOthers(earned, load, costs);
    const kept = this.#keep(left / 2, costs);
    const most = Math.max(this.#account, this.#most(costs));
    this.#account = Math.min(this.#account + left - kept, most);
    if (this.#othersPause || this.#account < SAVED * this.allowance(costs)) {
      this.#isRich = false;
    }
  }

  /** Other probes live on their part of what was earned. @returns what they leave of it */
  #payOthers(earned: number, load: Load, costs: Costs): number {
    const most = this.#othersPart * OTHERS_SAVED * this.allowance(costs);
    this.#others += this.#othersPart * earned - load.otherSeconds;
    const surplus = clamp(this.#others - most, 0, this.#othersPart * earned);
    this.#others = Math.min(this.#others, most);
    if (this.#others < 0) {
      this.#othersPause = true;
    } else if (this.#others >= most / 2) {
      this.#endPause();
    }
    const left = (1 - this.#othersPart) * earned + surplus;
    const weight = 1 - Math.exp(-load.seconds / INCOME_MEMORY);
    this.#windowsPart += weight * (left / Math.max(earned, 1e-12) - this.#windowsPart);
    return left;
  }

  #endPause(): void {
    if (!this.#othersPause) {
      return;
    }
    this.#othersPause = false;
    this.#isRich = this.#reserve > 0;
    this.#account += this.#reserve;
    this.#reserve = 0;
    this.#postponed = 0;
  }

  /** Puts something by while other probes pause. @returns how much of it */
  #keep(amount: number, costs: Costs): number {
    if (!this.#othersPause) {
      return 0;
    }
    const kept = clamp(RESERVED * this.allowance(costs) - this.#reserve, 0, amount);
    this.#reserve += kept;
    return kept;
  }

  /** CPU seconds per second that windows may cost. */
  #rate(costs: Costs): number {
    const rate = this.#windowsPart * this.allowance(costs);
    if (this.#othersPause) {
      return rate / 2;
    }
    return this.#isRich ? rate + this.#account / SPENT_WITHIN : rate;
  }

  /** What to do now. A wait may be followed by another one. */
  decide(costs: Costs): Decision {
    // While nothing is known of a target, the smallest window yields most for its cost.
    if (this.#known === undefined) {
      return {
        do: 'open',
        window: { openSeconds: LIMITS.shortestOpen, hitLimit: 2 * LIMITS.leastLookups },
      };
    }
    const plan = this.#plan(costs);
    if (plan.earned <= LIMITS.longestDistance) {
      this.#goOn();
    }
    const due = plan.distance * (0.5 + this.#draw) + this.#postponed;
    const wait = Math.max(due - this.#passed, this.#stopped ?? 0);
    const longest = this.#othersPart > 0 ? LIMITS.longestWaitWithOthers : LIMITS.longestWait;
    if (wait > 0) {
      return { do: 'wait', seconds: Math.min(wait, longest) };
    }
    const lacking = PAID_BEFORE * plan.cost - this.#account;
    if (lacking > 0) {
      // The account fills while the target is busy: opening at the moment it suffices would find it busy too often.
      const seconds = lacking / this.#rate(costs);
      this.#postponed += Math.min(seconds * (1 + this.#random()), 2 * LIMITS.longestDistance) + 0.001;
      return this.decide(costs);
    }
    return { do: 'open', window: { openSeconds: plan.openSeconds, hitLimit: plan.hitLimit } };
  }

  /** Takes in what a window has really cost. */
  ended(window: EndedWindow, costs: Costs): void {
    this.elapse(window.load, costs);
    const cpus = Math.max(busyCpus(window.load), LEAST_CPU);
    this.#account -= windowCost(window, window.load, costs);
    const lookups = window.openSeconds > 0 ? window.decoded / (window.openSeconds * cpus) : 0;
    const further = (window.hits - window.decoded) / cpus;
    const before = this.#known ?? { lookupsPerCpu: lookups, furtherPerCpu: further };
    const weight = Math.max(WINDOW_WEIGHT, 1 - Math.exp(-this.#passed / WINDOW_MEMORY));
    const lookupsPerCpu = before.lookupsPerCpu + weight * (lookups - before.lookupsPerCpu);
    this.#known = {
      lookupsPerCpu: window.full ? Math.max(lookupsPerCpu, lookups) : lookupsPerCpu,
      furtherPerCpu: before.furtherPerCpu + weight * (further - before.furtherPerCpu),
    };
    this.#learnLocked(window.lockedSeconds);
    this.#passed = window.load.seconds;
    this.#postponed = 0;
    this.#draw = this.#random();
    if (this.#plan(costs).earned > LIMITS.longestDistance) {
      this.#unaffordable++;
    }
    if (this.#stopped === undefined && this.#unaffordable >= STOPPING_WINDOWS) {
      this.stops++;
      this.#stopped = this.#backOff;
    } else if (this.#stopped !== undefined) {
      this.#backOff = Math.min(2 * this.#backOff, LIMITS.longestBackOff);
      this.#stopped = this.#backOff;
    }
  }

  #learnLocked(seconds: number | null): void {
    if (seconds !== null) {
      const before = this.#lockedSeconds ?? seconds;
      this.#lockedSeconds = before + WINDOW_WEIGHT * (seconds - before);
    }
  }

  /** The next window: as large as the budget allows, small enough for one request to bear. */
  #plan(costs: Costs): Plan {
    const known = this.#known ?? { lookupsPerCpu: 0, furtherPerCpu: 0 };
    const cpus = Math.max(this.#cpus, LEAST_CPU);
    const each = costs.trap + costs.decode;
    const rate = this.#rate(costs);
    const usualLoss = LIMITS.usualLoss * Math.max(cpus, 1);
    // Rare windows have fewer hits in vain, but no request is to lose more than usual for them.
    const shortest = this.#isRich
      ? LIMITS.eagerDistance
      : clamp(usualLoss / rate, LIMITS.shortestDistance, LIMITS.usualDistance);
    const fixed = cpus * (costs.attach + known.furtherPerCpu * costs.trap);
    const rest = clamp(BUSY_CPU / cpus, 1, LIMITS.idleDistance / shortest);
    const distance = clamp(
      (2 * fixed) / rate,
      Math.max(rest * shortest, this.#isRich ? 0 : this.#crowdedDistance()),
      LIMITS.longestDistance,
    );
    const affordable = Math.min((rate * distance - fixed) / each, LIMITS.ceiling * distance);
    const wanted = clamp(affordable, LIMITS.leastLookups, usualLoss / each);
    const lookupRate = known.lookupsPerCpu * cpus;
    const openSeconds = clamp(wanted / lookupRate, LIMITS.shortestOpen, LIMITS.longestOpen);
    const expected = lookupRate * openSeconds;
    const cost = fixed + expected * each;
    const saved = Math.max(0, this.#account - fixed) / each;
    // Others wait for no larger share of their time than the target, whatever it can afford.
    const earned = Math.max(cost / rate, (this.#lockedSeconds ?? 0) / (PLANNED * this.#budget));
    return {
      openSeconds,
      hitLimit: Math.round(
        clamp(Math.max(4 * expected, saved), 2 * LIMITS.leastLookups, LIMITS.longestLoss / each),
      ),
      distance: Math.max(distance, Math.min(earned, LIMITS.longestDistance)),
      cost,
      earned,
    };
  }

  /** From one window to the next, so that those of all targets are not too many for the sidecar. */
  #crowdedDistance(): number {
    return Math.min((this.#share?.targets ?? 0) * LIMITS.distanceOfAll, LIMITS.idleDistance);
  }

  /** The budget can be kept, be it again. */
  #goOn(): void {
    this.#unaffordable = 0;
    this.#stopped = undefined;
    this.#backOff = LIMITS.firstBackOff;
  }

  /** The most that is saved up: what the next window costs, or a second's allowance. */
  #most(costs: Costs): number {
    const allowance = this.allowance(costs);
    if (this.#known === undefined) {
      return SAVED * allowance;
    }
    return Math.max(SAVED * allowance, 1.5 * this.#plan(costs).cost);
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
