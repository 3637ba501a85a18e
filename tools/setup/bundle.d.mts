export function bundleFiles(checkout: string, entries: readonly string[], into: string): Promise<void>;
