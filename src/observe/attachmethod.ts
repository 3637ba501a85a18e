import { release } from 'node:os';
import type { AttachMethod } from '../kernel/addon.ts';

/**
 * uprobe_multi where it can be relied on. Linux 6.6-6.9 have it, but match its pid filter with one thread instead of the
 * whole process (mended by commit 46ba0e49b642 in 6.10), so they get perf events like older kernels.
 */
export function kernelAttachMethod(
  features: { readonly uprobeMulti: boolean },
  kernel: string = release(),
): AttachMethod {
  const [major = 0, minor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10));
  const mended = major > 6 || (major === 6 && minor >= 10);
  return features.uprobeMulti && mended ? 'uprobe_multi' : 'perf_event';
}
