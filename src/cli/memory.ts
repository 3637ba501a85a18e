import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { addon } from '../kernel/addon.ts';

/** Work that leaves much behind comes once a minute by default; for many targets it comes often, and each time takes milliseconds. */
const SHORTEST_INTERVAL_MILLIS = 20_000;

let last = Number.NEGATIVE_INFINITY;
let collect: (() => void) | undefined;

/**
 * Gives back what work that is over has left behind: garbage, and memory that the allocator keeps. Without that the process
 * remains as large as it was at its largest. Calls in quick succession are skipped.
 */
export function giveMemoryBack(): void {
  if (performance.now() - last < SHORTEST_INTERVAL_MILLIS) return;
  collect ??= collector();
  collect();
  addon.keepMemorySmall();
  last = performance.now();
}

/** V8 hands out the function that collects garbage only to contexts made after it was told to. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  return typeof gc === 'function' ? () => gc() : () => {};
}
