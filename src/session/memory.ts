import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { addon } from '../kernel/addon.ts';

/**
 * Giving back takes 40 ms of CPU time, or 200 with fifty targets, whose exports come one after the other all the time. It is done no oftener
 * than this, and takes no more than this share of a CPU.
 */
const SHORTEST_INTERVAL_MILLIS = 5_000;
const LARGEST_SHARE = 0.01;

/** So much garbage may come together while an export of many series is under way. */
const MOST_GARBAGE_BYTES = 3 << 20;

/** When memory may be given back again, by performance.now(). */
let next = Number.NEGATIVE_INFINITY;
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
  const early = next - performance.now();
  if (early > 0) {
    waiting = setTimeout(giveNow, early).unref();
    return;
  }
  giveNow();
}

/**
 * Collects garbage when some has come together: call it between the requests of a large export. V8 waits until the heap has grown by
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
  const before = process.cpuUsage();
  collectGarbage('last-resort');
  addon.keepMemorySmall();
  const { user, system } = process.cpuUsage(before);
  const millis = (user + system) / 1000;
  next = performance.now() + Math.max(SHORTEST_INTERVAL_MILLIS, millis / LARGEST_SHARE);
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
