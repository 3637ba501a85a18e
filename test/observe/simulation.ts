import { type Costs, type Load, windowCost } from '../../src/observe/windows/costs.ts';
import { Governor } from '../../src/observe/windows/governor.ts';
import type { BudgetShare } from '../../src/observe/windows/node-budget.ts';
import type { WindowPlan } from '../../src/programs/lookup-program.ts';

/** What the target does at one moment. */
export interface Demand {
  /** CPUs it keeps busy, observation apart. */
  readonly cpus: number;
  /** Lookups per second that it would make unobserved. */
  readonly lookups: number;
}

export interface SimulatedWindow {
  readonly opened: number;
  readonly closed: number;
  readonly decoded: number;
  readonly spanSeconds: number;
  readonly full: boolean;
  readonly lockedSeconds: number;
}

export interface SimulationOptions {
  readonly budget?: number;
  readonly costs?: Costs;
  readonly random: () => number;
  readonly demand: (time: number) => Demand;
  /** What other probes cost, in seconds per second, unless they are asked to pause. */
  readonly others?: (time: number) => number;
  /** Its share of what several targets may cost. */
  readonly share?: BudgetShare;
  /** Between attach and open, and between close and the last breakpoint's end, in seconds. */
  readonly attaching?: number;
  readonly detaching?: number;
  /** For how long a window keeps others waiting, in seconds. */
  readonly locked?: (time: number) => number;
}

export const COSTS: Costs = { trap: 0.6e-6, decode: 0.6e-6, attach: 100e-6 };
/** How finely a window is simulated. */
const STEP = 0.0002;
/** Detaching waits for the kernel, after the breakpoints are gone. */
const WAITING = 0.03;

/** A target on a machine of its own in virtual time, with a governor that opens windows of it. */
export class Simulation {
  time = 0;
  /** What the target would have used, and what observation has cost it. */
  cpuSeconds = 0;
  cost = 0;
  readonly windows: SimulatedWindow[] = [];
  readonly governor: Governor;
  readonly #options: Required<Omit<SimulationOptions, 'others' | 'share'>> &
    Pick<SimulationOptions, 'others'>;
  #lastClosed = 0;

  constructor(options: SimulationOptions) {
    this.#options = {
      budget: 0.01,
      costs: COSTS,
      attaching: 0.0003,
      detaching: 0.002,
      locked: () => 0.000_15,
      ...options,
    };
    const { budget } = this.#options;
    this.governor = new Governor(budget, options.random, options.others !== undefined, options.share);
  }

  /** Goes on to a moment; returns what happened meanwhile. */
  runUntil(end: number): { cost: number; cpuSeconds: number; windows: SimulatedWindow[] } {
    const before = { cost: this.cost, cpuSeconds: this.cpuSeconds, windows: this.windows.length };
    const { costs } = this.#options;
    let load: Load = { seconds: 0, cpuSeconds: 0, otherSeconds: 0 };
    while (this.time < end) {
      this.governor.elapse(load, costs);
      const decision = this.governor.decide(costs);
      if (decision.do === 'wait') {
        load = this.#pass(Math.min(decision.seconds, end - this.time));
      } else {
        this.#window(decision.window);
        load = { seconds: 0, cpuSeconds: 0, otherSeconds: 0 };
      }
    }
    this.governor.elapse(load, costs);
    return {
      cost: this.cost - before.cost,
      cpuSeconds: this.cpuSeconds - before.cpuSeconds,
      windows: this.windows.slice(before.windows),
    };
  }

  /** Lets time pass with nothing attached. */
  #pass(seconds: number): Load {
    const load = { seconds: 0, cpuSeconds: 0, otherSeconds: 0 };
    for (let left = seconds; left > 0; left -= 0.005) {
      const step = Math.min(left, 0.005);
      const other = this.governor.pausesOthers ? 0 : (this.#options.others?.(this.time) ?? 0) * step;
      load.cpuSeconds += this.#options.demand(this.time).cpus * step + other;
      load.otherSeconds += other;
      this.time += step;
    }
    load.seconds = seconds;
    this.cpuSeconds += load.cpuSeconds;
    this.cost += load.otherSeconds;
    return load;
  }

  #window({ openSeconds, hitLimit }: WindowPlan): void {
    const { costs, attaching, detaching } = this.#options;
    const before = { time: this.time, cpu: this.cpuSeconds };
    let hits = this.#hits(attaching, costs.trap, Number.POSITIVE_INFINITY);
    const opened = this.time;
    const decoded = this.#hits(openSeconds, costs.trap + costs.decode, hitLimit);
    const closed = this.time;
    const full = decoded >= hitLimit;
    hits += decoded + this.#hits(detaching, costs.trap, Number.POSITIVE_INFINITY);
    const waiting = this.#pass(WAITING);
    const load = {
      seconds: this.time - before.time,
      cpuSeconds: this.cpuSeconds - before.cpu,
      otherSeconds: waiting.otherSeconds,
    };
    this.cost += windowCost({ hits, decoded }, load, costs);
    const lockedSeconds = this.#options.locked(opened);
    this.governor.ended({ openSeconds: closed - opened, load, hits, decoded, full, lockedSeconds }, costs);
    this.windows.push({
      opened,
      closed,
      decoded,
      spanSeconds: closed - this.#lastClosed,
      full,
      lockedSeconds,
    });
    this.#lastClosed = closed;
  }

  /** Hits while breakpoints are in. A CPU cannot do more than trap. */
  #hits(seconds: number, each: number, limit: number): number {
    let hits = 0;
    for (let left = seconds; left > 0 && hits < limit; left -= STEP) {
      const step = Math.min(left, STEP);
      const { cpus, lookups } = this.#options.demand(this.time);
      const wanted = lookups * step;
      // Work that is bound by the CPU gets less done, as much as the traps take.
      const possible = wanted / (1 + (each * lookups) / Math.max(cpus, 1e-9));
      hits += possible;
      this.cpuSeconds += cpus * step;
      this.time += step;
    }
    return Math.round(Math.min(hits, limit));
  }
}
