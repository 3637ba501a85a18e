import type { AnalyzedFunction } from '../code/analyze.ts';
import { UnprovenError } from '../code/disassemble.ts';

/** What has happened on a path so far. Two crossings stand for two and more. */
interface Progress {
  readonly hashed: 0 | 1 | 2;
  readonly unhashed: 0 | 1 | 2;
  readonly computedHash: boolean;
  readonly readCount: boolean;
  readonly readStorage: boolean;
}

export interface ProofRequest {
  /** Indices of the chosen sites that know the hash. */
  readonly hashed: ReadonlySet<number>;
  /** Indices of the chosen sites on paths that have computed none. */
  readonly unhashed: ReadonlySet<number>;
  /**
   * Allow a path over an unhashed and then a hashed site. The program at the unhashed site decides from the same memory
   * as the function whether the hash will be needed, and leaves such a lookup to the hashed site.
   */
  readonly allowDeferral: boolean;
  /** Insist that unhashed sites come after the look at the map's entry count, so that nil and empty maps stay untrapped. */
  readonly afterCount: boolean;
  /** Spent on the proof. */
  readonly effort: Effort;
}

/**
 * Proves on the control-flow graph that the sites see each lookup once: every path from the entry to a return that
 * reads the map's storage crosses exactly one site, and no path crosses two.
 */
export function provesEachLookupOnce(fn: AnalyzedFunction, request: ProofRequest): boolean {
  return explore(fn, request, ({ hashed, unhashed, readStorage }) => {
    if (!readStorage) {
      return hashed + unhashed <= 1;
    }
    return hashed + unhashed === 1 || (request.allowDeferral && hashed === 1 && unhashed === 1);
  });
}

/**
 * Proves that every path that computes the hash and goes on to the map's storage crosses exactly one of the hashed sites,
 * and that no other path crosses one. (Up to Go 1.21 a lookup in an empty map hashes too, for the panic of an unhashable
 * key, and ends there; a classic lookup whose bucket pointer is nil exists in the code, if not in practice.)
 */
export function provesHashedOnce(fn: AnalyzedFunction, hashed: ReadonlySet<number>, effort: Effort): boolean {
  const request = { hashed, unhashed: new Set<number>(), allowDeferral: false, afterCount: false, effort };
  return explore(fn, request, (end) => {
    if (!end.computedHash) {
      return end.hashed === 0;
    }
    return end.readStorage ? end.hashed === 1 : end.hashed <= 1;
  });
}

/** What choosing the sites of one function may take: steps on paths. Those known to Go 1.27 take 20,000 at most. */
export class Effort {
  #left = 200_000;

  /** @throws UnprovenError when there is none left */
  spend(): void {
    if (--this.#left < 0) {
      throw new UnprovenError('its paths are too many to choose probe sites from');
    }
  }
}

/** Walks all combinations of instruction and progress; says whether every return is reached in an accepted one. */
function explore(fn: AnalyzedFunction, request: ProofRequest, accepts: (end: Progress) => boolean): boolean {
  const seen = new Set<string>();
  const start: Progress = {
    hashed: 0,
    unhashed: 0,
    computedHash: false,
    readCount: false,
    readStorage: false,
  };
  const pending: [number, Progress][] = [[0, start]];
  let returns = 0;
  for (let item = pending.pop(); item !== undefined; item = pending.pop()) {
    const [i, before] = item;
    const key = `${i} ${before.hashed}${before.unhashed}${before.computedHash}${before.readCount}${before.readStorage}`;
    const node = fn[i];
    if (node === undefined || seen.has(key)) {
      continue;
    }
    seen.add(key);
    request.effort.spend();
    const progress: Progress = {
      hashed: crossed(before.hashed, request.hashed.has(i)),
      unhashed: crossed(before.unhashed, request.unhashed.has(i)),
      computedHash: before.computedHash || node.effect.hashes,
      readCount: before.readCount || node.effect.readsCount,
      readStorage: before.readStorage || node.effect.readsStorage,
    };
    // Crossing twice is wrong whatever follows, also in a function that then panics.
    if (progress.hashed === 2 || progress.unhashed === 2) {
      return false;
    }
    if (request.afterCount && request.unhashed.has(i) && !before.readCount) {
      return false;
    }
    if (node.instruction.flow === 'return') {
      returns++;
      if (!accepts(progress)) {
        return false;
      }
    }
    for (const next of node.next) {
      pending.push([next, progress]);
    }
  }
  return returns > 0;
}

function crossed(count: 0 | 1 | 2, here: boolean): 0 | 1 | 2 {
  if (!here) {
    return count;
  }
  return count === 0 ? 1 : 2;
}
