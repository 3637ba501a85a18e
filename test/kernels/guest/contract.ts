/* What the host and the guest know of one another. */

/** Where the checkout is in the guest. */
export const GUEST_ROOT = '/mapscope';

/** Parameter of the kernel that chooses among the checks: part of their names, with an underscore for each space. */
export const CHOICE = 'mapscope.checks';

/** One check in the guest, as it says itself. */
export interface Outcome {
  readonly check: string;
  readonly good: boolean;
  readonly detail: string;
}

/** The check after the last one. */
export const END = 'end';
