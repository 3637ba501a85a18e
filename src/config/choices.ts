import type { AttachMethod } from '../kernel/addon.ts';
import type { ObservationMode } from '../model/snapshot.ts';

/** Values of `mode`. */
export const MODES = ['windows', 'all'] as const satisfies readonly ObservationMode[];

/** Values of `attachMethod`. */
export const ATTACH_METHODS = ['uprobe_multi', 'perf_event'] as const satisfies readonly AttachMethod[];

/** "a, b or c". */
export function oneOf(values: readonly string[]): string {
  return `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}
