import type { AttachMethod, Features } from '../kernel/addon.ts';

/** One link for all sites where the kernel has that, and it filters by process; what it says of its version does not matter. */
export function kernelAttachMethod({ uprobeMulti }: Pick<Features, 'uprobeMulti'>): AttachMethod {
  return uprobeMulti ? 'uprobe_multi' : 'perf_event';
}
