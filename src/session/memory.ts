import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { addon } from '../kernel/addon.ts';

/**
 * Giving back takes 40 ms of CPU time, or 200 with fifty targets, whose exports come one after the other all the time. It is done no oftener
 * than this, and takes no more than this share of a CPU.
 */
const SHORTEST_INTERVAL_MILLIS = 5_000;
const LARGEST_SHARE = 0.01;

/** When it may be done again, by performance.now(). */
let next = Number.NEGATIVE_INFINITY;
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
  const early = next - performance.now();
  if (early > 0) {
    waiting = setTimeout(giveNow, early).unref();
    return;
  }
  giveNow();
}

function giveNow(): void {
  waiting = undefined;
  const before = process.cpuUsage();
  collect ??= collector();
  collect();
  addon.keepMemorySmall();
  const { user, system } = process.cpuUsage(before);
  const millis = (user + system) / 1000;
  next = performance.now() + Math.max(SHORTEST_INTERVAL_MILLIS, millis / LARGEST_SHARE);
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
