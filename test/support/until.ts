import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits for a condition that others bring about.
 *
 * @param what the condition in words, for the error, with what is known when it fails
 * @param limit in milliseconds; far above what is expected, for a machine may be busy
 */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string | (() => string),
  limit = 60_000,
): Promise<void> {
  for (const start = performance.now(); !(await holds()); await delay(20)) {
    if (performance.now() - start > limit) {
      throw new Error(`not within ${limit / 1000} s: ${typeof what === 'string' ? what : what()}`);
    }
  }
}
