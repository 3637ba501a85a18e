/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counts hits and does nothing else: what any observation at the same probe sites costs at least. The sidecar
 * learns with it what a trap costs, and `npm run bench` compares the lookup program with it.
 */
#include "lib/common.bpf.h"

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u64);
} hits SEC(".maps");

SEC("uprobe")
int count(struct pt_regs *regs __maybe_unused) {
    __u32 zero = 0;
    __u64 *value = bpf_map_lookup_elem(&hits, &zero);
    if (value)
        __sync_fetch_and_add(value, 1);
    return 0;
}
