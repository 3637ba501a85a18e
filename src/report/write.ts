import type { Writable } from 'node:stream';
import { OutputFile } from './output-file.ts';

/**
 * Writes a report to a file, which it replaces, or to a stream. Rejects with the system's error. A reader that has seen
 * enough and closes the pipe is no error.
 */
export async function writeReport(text: string, destination: OutputFile | Writable): Promise<void> {
  if (destination instanceof OutputFile) {
    await destination.write(text);
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
  // The stream also emits the error, and an error event without a listener ends the process.
  destination.once('error', settle);
  destination.write(text, settle);
  await promise.finally(() => {
    // The event may follow the callback. So the listener stays after an error, and is removed without one.
    if (!destination.errored) {
      destination.off('error', settle);
    }
  });
}
