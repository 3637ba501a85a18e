import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { addon } from '../kernel/addon.ts';

/** Giving back takes 40 to 80 ms, and the exports of many targets come in quick succession. */
const SHORTEST_INTERVAL_MILLIS = 5_000;

let last = Number.NEGATIVE_INFINITY;
let waiting: NodeJS.Timeout | undefined;
let collect: (() => void) | undefined;

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

function giveNow(): void {
  waiting = undefined;
  collect ??= collector();
  collect();
  addon.keepMemorySmall();
  last = performance.now();
}

/**
 * V8 hands out the function that collects garbage only to contexts made after the flag was set. As a last resort it also
 * compacts: pages of which little is in use stay otherwise.
 */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  return typeof gc === 'function'
    ? () => gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })
    : () => {};
}
