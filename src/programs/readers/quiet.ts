import { setTimeout as delay } from 'node:timers/promises';
import type { ProbeObject } from '../../kernel/addon.ts';

/** How long to wait for hits to end: they take microseconds, unless they are preempted. */
const LONGEST_MILLIS = 500;

/**
 * Waits until every hit that was under way has ended: each takes scratch before it looks where to count, and gives it back when it has
 * counted (bpf/lib/scratch.bpf.h), so all of it must have been seen free once. Taking it is a memory barrier, and so is what
 * lies between the system calls here.
 *
 * @returns false when some do not end
 */
export async function hitsHaveEnded(kernel: Pick<ProbeObject, 'readSharedMap'>): Promise<boolean> {
  const end = performance.now() + LONGEST_MILLIS;
  let pending: number[] | undefined;
  do {
    const { values, count } = await kernel.readSharedMap('lookup_scratch');
    const stride = values.length / count;
    pending ??= Array.from({ length: count }, (_, i) => i);
    // `busy` is the first word of struct lookup.
    pending = pending.filter((number) => values.readUInt32LE(number * stride) !== 0);
    if (pending.length === 0) {
      return true;
    }
    await delay(1);
  } while (performance.now() < end);
  return false;
}
