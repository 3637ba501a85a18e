import { addon } from '../kernel/addon.ts';

/** Resolves when the process has ended, or when the signal says that nobody waits any more. */
export function processEnd(pid: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = watchEnd(pid, resolve);
  signal.addEventListener('abort', () => {
    stop();
    resolve();
  });
  return promise;
}

function watchEnd(pid: number, ended: () => void): () => void {
  try {
    return addon.watchEnd(pid, ended);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    ended();
    return () => {};
  }
}
