export const bundle: {
  /** Whether the bundle was made of what the sources are now. */
  isCurrent(checkout: string): boolean;
};
export function bundleFiles(checkout: string, entries: readonly string[], into: string): Promise<void>;
