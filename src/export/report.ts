import { writeFile } from 'node:fs/promises';
import type { Writable } from 'node:stream';

/**
 * Writes a report to a file, which is replaced, or to a stream. Rejects with the system's error when it cannot, except
 * that a reader who has seen enough and closed the pipe is no error.
 */
export async function writeReport(text: string, destination: string | Writable): Promise<void> {
  if (typeof destination === 'string') {
    await writeFile(destination, text);
    return;
  }
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const settle = (error?: NodeJS.ErrnoException | null): void => {
    if (error && error.code !== 'EPIPE') {
      reject(error);
    } else {
      resolve();
    }
  };
  // The stream also emits the error, and an error event nobody listens to ends the process.
  destination.once('error', settle);
  destination.write(text, settle);
  await promise.finally(() => {
    // The event may follow the callback, so the listener stays for an error and goes without one.
    if (!destination.errored) {
      destination.off('error', settle);
    }
  });
}
