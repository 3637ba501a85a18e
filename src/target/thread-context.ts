import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The pinned map in which OBI (OpenTelemetry eBPF Instrumentation) says which span each thread works for: an LRU hash from
 * the kernel's pid_tgid to 16 bytes of trace id and 8 of span id, pinned below the BPF file system that OBI is configured with.
 *
 * @returns its path; undefined when OBI does not run here, or its BPF file system is not to be seen
 */
export function findThreadContextMap(env: NodeJS.ProcessEnv): string | undefined {
  const path = join(env.OTEL_EBPF_BPF_FS_PATH || '/sys/fs/bpf', 'otel', 'traces_ctx_v1');
  return existsSync(path) ? path : undefined;
}
