import { addon } from '../kernel/addon.ts';

/**
 * Resolves when the process has ended, or when the signal says that nobody waits any more.
 *
 * @returns the CPU time that it used in all its life; null when its parent was faster to take note of its end, or nobody waits
 */
export function processEnd(pid: number, signal: AbortSignal): Promise<{ cpuSeconds: number | null }> {
  const { promise, resolve } = Promise.withResolvers<{ cpuSeconds: number | null }>();
  const stop = watchEnd(pid, () => resolve({ cpuSeconds: cpuSeconds(pid) }));
  signal.addEventListener('abort', () => {
    stop();
    resolve({ cpuSeconds: null });
  });
  return promise;
}

function cpuSeconds(pid: number): number | null {
  try {
    return addon.cpuSeconds(pid);
  } catch {
    return null;
  }
}

function watchEnd(pid: number, ended: () => void): () => void {
  try {
    return addon.watchEnd(pid, ended);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') {
      throw error;
    }
    ended();
    return () => {};
  }
}
