/** Signals that ask a program to end. */
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface StopRequest {
  /** Resolves when the first ending signal arrives. */
  readonly requested: Promise<void>;
  /** Stops listening: the signals end the process again. */
  done(): void;
}

/** Listens for the signals that would end the process, so that it can leave the target as it found it. */
export function stopRequested(forward?: (signal: NodeJS.Signals) => void): StopRequest {
  const { promise, resolve } = Promise.withResolvers<void>();
  const listener = (signal: NodeJS.Signals) => {
    try {
      forward?.(signal);
    } catch {
      // The target has ended already.
    }
    resolve();
  };
  for (const signal of ENDING) process.on(signal, listener);
  return {
    requested: promise,
    done: () => {
      for (const signal of ENDING) process.off(signal, listener);
    },
  };
}
