/*
 * How long hits take: the programs time some of them. That needs no right beyond those for loading.
 */
#pragma once

#include "common.bpf.h"

/* Adds the time since `start`, in ns, to the sums of a CPU; 0: this hit's time is not taken. */
inline_always void timing_end(__u64 start, __u64 *timed_hits, __u64 *timed_ns) {
    if (!start)
        return;
    __u64 elapsed = bpf_ktime_get_ns() - start;
    __sync_fetch_and_add(timed_hits, 1);
    __sync_fetch_and_add(timed_ns, elapsed < LONGEST_TIMED_NS ? elapsed : LONGEST_TIMED_NS);
}
