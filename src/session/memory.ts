import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { addon } from '../kernel/addon.ts';

/** Giving back takes 40 to 80 ms, and the exports of many targets come in quick succession. */
const SHORTEST_INTERVAL_MILLIS = 5_000;

/** So much garbage may come together while an export of many series is under way. */
const MOST_GARBAGE_BYTES = 3 << 20;

let last = Number.NEGATIVE_INFINITY;
/** Bytes in use after the last collection. */
let kept = Number.POSITIVE_INFINITY;
let waiting: NodeJS.Timeout | undefined;
let collect: ((flavor: 'regular' | 'last-resort') => void) | undefined;

/**
 * Gives back what work that is over has left behind: garbage, and memory that the allocator keeps. Without that the process
 * remains as large as it was at its largest. Of calls in quick succession the last one is kept for later.
 */
export function giveMemoryBack(): void {
  if (waiting !== undefined) {
    return;
  }
  const early = last + SHORTEST_INTERVAL_MILLIS - performance.now();
  if (early > 0) {
    waiting = setTimeout(giveNow, early).unref();
    return;
  }
  giveNow();
}

/**
 * Collects garbage when some has come together: call it between the requests of an export. V8 waits until the heap has grown by
 * half, and counts requests that were sent, which are outside of it, for next to nothing. Takes some 20 ms where it does something.
 */
export function keepGarbageSmall(): void {
  const now = bytesInUse();
  kept = Math.min(kept, now);
  if (now > kept + MOST_GARBAGE_BYTES) {
    collectGarbage('regular');
  }
}

function bytesInUse(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}

function collectGarbage(flavor: 'regular' | 'last-resort'): void {
  collect ??= collector();
  collect(flavor);
  kept = bytesInUse();
}

function giveNow(): void {
  waiting = undefined;
  collectGarbage('last-resort');
  addon.keepMemorySmall();
  last = performance.now();
}

/**
 * V8 hands out the function that collects garbage only to contexts made after the flag was set. As a last resort it also
 * compacts: pages of which little is in use stay otherwise.
 */
function collector(): (flavor: 'regular' | 'last-resort') => void {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  return typeof gc === 'function' ? (flavor) => gc({ type: 'major', execution: 'sync', flavor }) : () => {};
}
