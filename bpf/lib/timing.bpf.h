/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long hits take: the programs time some of them. That needs no right beyond those for loading.
 */
#pragma once

#include "lib/common.bpf.h"
#include "shared/hash.h"
#include "shared/window.h"

/*
 * Whether a hit is one of those that are timed, given how many there have been: now, in ns, or 0.
 *
 * By a hash of the count, because a random number is a call. It picks its share of every n-th hit too, for
 * any n: no pattern of lookups has always, or never, the same of its own timed.
 */
static __always_inline __u64 timing_start(__u64 hits) {
    return hits * HASH_MULTIPLIER >> (64 - TIMED_HITS_LOG2) ? 0 : bpf_ktime_get_ns();
}

/*
 * Adds the time since `start`, in ns, to the sums of a CPU; 0: this hit's time is not taken. It counts up to
 * what the hit can have taken itself, with the work that it did: a sleepable program may be preempted.
 */
static __always_inline void timing_end(__u64 start, __u64 work, __u64 *timed_hits, __u64 *timed_ns) {
    if (!start)
        return;
    __u64 elapsed = bpf_ktime_get_ns() - start;
    __sync_fetch_and_add(timed_hits, 1);
    __u64 longest = LONGEST_TIMED_NS + work * LONGEST_WORK_NS;
    __sync_fetch_and_add(timed_ns, elapsed < longest ? elapsed : longest);
}
