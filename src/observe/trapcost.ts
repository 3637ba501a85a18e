import { type AttachMethod, addon } from '../kernel/addon.ts';
import { objectPath } from './program.ts';

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

/** A measurement is good for this long. The largest of the latest ones counts, for a machine's speed wanders. */
const GOOD_MILLIS = 60_000;
const KEPT = 3;

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

  /** What is known. */
  get cost(): TrapCost {
    return this.#seconds.length === 0 ? ASSUMED : { seconds: Math.max(...this.#seconds), measured: true };
  }

  /** Measures, unless that was done a short while ago. Never rejects: what cannot be measured stays assumed. */
  refresh(): Promise<void> {
    if (performance.now() - this.#last >= GOOD_MILLIS) {
      this.#last = performance.now();
      this.#measuring = measure(this.#method).then(
        (seconds) => {
          this.#seconds.push(seconds);
          if (this.#seconds.length > KEPT) this.#seconds.shift();
        },
        () => {},
      );
    }
    return this.#measuring;
  }
}

async function measure(attachMethod: AttachMethod): Promise<number> {
  const { path, offset } = addon.calibrationSite();
  const program = new addon.ProbeObject({
    objectPath: objectPath('count'),
    attachMethod,
    sleepable: addon.features().sleepableUprobes,
    readOnlyData: {},
    mapSizes: {},
  });
  try {
    await program.load();
    const bare = await addon.runCalibration(HITS, ROUNDS);
    await program.attach({ path, pid: process.pid, offsets: [offset], cookies: [0n] });
    const probed = await addon.runCalibration(HITS, ROUNDS);
    await program.detach();
    return Math.max(0, probed - bare);
  } finally {
    program.close();
  }
}
