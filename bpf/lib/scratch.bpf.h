/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scratch: the working memory of a hit, for which the stack has too little room.
 *
 * A program can be preempted in the middle, also for as long as a page fault takes, and the next thread on
 * that CPU may run it too. So each CPU has scratch of its own, which nearly all hits take, and there is some
 * more for all of them together. That is one array, not one for each CPU: what is rarely needed, a machine of
 * many CPUs would have many times.
 *
 * A hit stays on its CPU: the kernel does not migrate a task that is in the middle of a program.
 */
#pragma once

#include "lib/common.bpf.h"

/* What scratch of any kind begins with. */
struct scratch {
    __u32 busy; /* a hit has taken it; user space reads this word, which must stay the first */
    __u32 number;
    __u32 own; /* the CPU's own: what only its owner writes has one writer at a time */
    __u32 pad;
};

const volatile __u32 scratch_cpus;   /* scratch that CPUs have for themselves, by their number */
const volatile __u32 scratch_common; /* and behind it, for all: a power of two */

/* Of what is there for all, a hit looks at so many, which may be fewer. */
#define SCRATCH_TRIES 64

static __always_inline void *try_scratch(void *map, __u32 number, __u32 own) {
    __u32 key = number;
    struct scratch *scratch = bpf_map_lookup_elem(map, &key);
    if (!scratch || scratch->busy || __sync_lock_test_and_set(&scratch->busy, 1))
        return NULL;
    scratch->number = number;
    scratch->own = own;
    return scratch;
}

/* Takes scratch for a hit: its CPU's own, or else some of that for all; NULL when all that it looks at is
 * taken. */
static __always_inline void *take_scratch(void *map) {
    __u32 cpu = bpf_get_smp_processor_id(), number = cpu;
    void *scratch = NULL;
    for (__u32 i = 0; !scratch && i <= SCRATCH_TRIES; i++) {
        scratch = try_scratch(map, number, i == 0);
        number = scratch_cpus + ((2 * cpu + i) & (scratch_common - 1));
    }
    return scratch;
}

/*
 * The same scratch, from its map once more. A pointer that a global function is given is no key or value of a
 * map to the verifier before Linux 6.2; one that comes out of a map is, everywhere.
 */
static __always_inline void *scratch_from_map(void *map, const struct scratch *scratch) {
    __u32 number = scratch->number;
    return bpf_map_lookup_elem(map, &number);
}

/*
 * Gives scratch back. A plain store: nobody else writes this word while it is 1, and x86-64 makes stores
 * visible in their order, so that whoever sees the 0 on another CPU sees what the hit has counted before. On
 * another architecture this must be a store with release.
 */
static __always_inline void release_scratch(struct scratch *scratch) {
    barrier();
    *(volatile __u32 *)&scratch->busy = 0;
}
