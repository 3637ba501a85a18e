/** Exit statuses of the command, a contract with scripts (see the README). */
export const EXIT = {
  done: 0,
  /** The observation failed. */
  failed: 1,
  /** Wrong usage or configuration. */
  usage: 2,
  /** The machine or the target cannot be observed. */
  cannotObserve: 3,
  /** A signal has ended mapscope before it was done: with the signal's number added, as shells have it. */
  signalled: 128,
} as const;

/** An error for the person at the terminal: one clear sentence, and the exit status that goes with it. */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly exitStatus: number;

  constructor(message: string, exitStatus: number = EXIT.failed, options?: ErrorOptions) {
    super(message, options);
    this.exitStatus = exitStatus;
  }
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
