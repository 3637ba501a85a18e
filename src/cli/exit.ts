import { addon } from '../kernel/addon.ts';

/**
 * Node ends its threads before the process, which takes milliseconds, and now and then waits for one of them for ever
 * (https://github.com/nodejs/node/issues/54918).
 */
const PATIENCE_MILLIS = 5000;

/** Ends the process, when all that it has to say has been written: with this status, also where Node does not come to its end. */
export function exitNow(status: number): never {
  try {
    addon.endWithin(PATIENCE_MILLIS, status);
  } catch {
    // Without the addon nothing has been observed, and the command ends as any other one of Node's.
  }
  process.exit(status);
}
