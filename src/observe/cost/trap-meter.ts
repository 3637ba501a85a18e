import { type AttachMethod, addon } from '../../kernel/addon.ts';
import { loadObject } from '../../programs/objects.ts';

/** CPU seconds that one hit of a probe site costs before anything is decoded. */
export interface TrapCost {
  readonly seconds: number;
  /** False: it could not be measured, and a machine slower than any known is assumed. */
  readonly measured: boolean;
}

const ASSUMED: TrapCost = { seconds: 3e-6, measured: false };

/** Hits of one round, and the rounds whose median counts: together some three milliseconds. */
const HITS = 500;
const ROUNDS = 9;

/** The median of the latest measurements counts: a machine's speed wanders, and one of them may have met its worst moment. */
const KEPT = 5;
/** How long a measurement is good for: only briefly while there are few. */
const GOOD_MILLIS = 60_000;
const FIRST_GOOD_MILLIS = 2_000;

/**
 * Learns what a trap costs on this very machine: probes an instruction of this process in the way in which a target's
 * are probed, with a program that only counts, and times it with and without.
 */
export class TrapMeter {
  static readonly #meters = new Map<AttachMethod, TrapMeter>();
  readonly #method: AttachMethod;
  readonly #seconds: number[] = [];
  #measuring: Promise<void> = Promise.resolve();
  #last = Number.NEGATIVE_INFINITY;

  private constructor(method: AttachMethod) {
    this.#method = method;
  }

  /** The meter that all targets share. */
  static of(method: AttachMethod): TrapMeter {
    const known = TrapMeter.#meters.get(method) ?? new TrapMeter(method);
    TrapMeter.#meters.set(method, known);
    return known;
  }

  /** The cost as known so far. */
  get cost(): TrapCost {
    const seconds = this.#seconds.toSorted((a, b) => a - b)[this.#seconds.length >> 1];
    return seconds === undefined ? ASSUMED : { seconds, measured: true };
  }

  /** Resolves when no measurement is under way. */
  settled(): Promise<void> {
    return this.#measuring;
  }

  /** Measures, unless that was done a short while ago. Never rejects: what cannot be measured stays assumed. */
  refresh(): Promise<void> {
    const good = this.#seconds.length < KEPT ? FIRST_GOOD_MILLIS : GOOD_MILLIS;
    if (performance.now() - this.#last >= good) {
      this.#last = performance.now();
      this.#measuring = measure(this.#method).then(
        (seconds) => {
          this.#seconds.push(seconds);
          if (this.#seconds.length > KEPT) {
            this.#seconds.shift();
          }
        },
        () => {},
      );
    }
    return this.#measuring;
  }
}

async function measure(attachMethod: AttachMethod): Promise<number> {
  const { path, offset } = addon.calibrationSite();
  const { kernel: program } = await loadObject({
    name: 'count',
    title: 'The program that measures traps',
    attachMethod,
  });
  try {
    const bare = await addon.runCalibration(HITS, ROUNDS);
    await program.attach({ path, pid: process.pid, offsets: [offset], cookies: [0n] });
    const probed = await addon.runCalibration(HITS, ROUNDS);
    await program.detach();
    return Math.max(0, probed - bare);
  } finally {
    program.close();
  }
}
