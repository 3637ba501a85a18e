/** Stands for a name that the binary does not have. */
export const UNKNOWN_NAME = '?';

/** A position in the target's source, with inlining undone; UNKNOWN_NAME and line 0 where the binary does not say. */
export interface SourcePosition {
  /** Fully qualified Go function name, e.g. `example.com/shop/cart.(*Store).Find`. */
  function: string;
  /** Path as the compiler recorded it. */
  file: string;
  /** 1-based, or 0. */
  line: number;
}

/** Stands for the names of all call sites and map types that are not kept apart. */
export const OTHERS_NAME = '(others)';

/** Their position. */
export const OTHERS: SourcePosition = { function: OTHERS_NAME, file: OTHERS_NAME, line: 0 };
