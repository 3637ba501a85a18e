/*
 * Working memory for hits. A program can be taken off its CPU in the middle, also for as long as a page fault
 * takes, and the next thread there may run it too: so each CPU has several slots, and a hit takes one of its
 * own.
 */
#pragma once

#include "target.bpf.h"

/* Threads of the target that are in the middle of a hit on one CPU at once. */
#define SLOTS 64

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, SLOTS);
    __type(key, __u32);
    __type(value, struct lookup);
} slots SEC(".maps");

/* User space looks here for hits that are under way (src/observe/costtables.ts). */
_Static_assert(offsetof(struct lookup, busy) == 0, "the first word says whether a slot is taken");

/* Takes a slot of this CPU, if it is free, and clears it. */
inline_always struct lookup *try_slot(__u32 number) {
    __u32 key = number;
    struct lookup *l = bpf_map_lookup_elem(&slots, &key);
    if (!l || l->busy || __sync_lock_test_and_set(&l->busy, 1))
        return NULL;
    __builtin_memset(&l->key_class, 0, offsetof(struct lookup, info) - offsetof(struct lookup, key_class));
    l->pieces.left_at = 0;
    l->slot = number;
    return l;
}

/* A slot of this CPU, cleared; NULL when all are taken. It stays this CPU's: programs are not moved to
 * another. */
inline_always struct lookup *take_slot(void) {
    struct lookup *l = try_slot(0);
    for (__u32 i = 1; !l && i < SLOTS; i++)
        l = try_slot(i);
    return l;
}

/* The hit is done with its slot, which no other has touched: this needs no atomic instruction. */
inline_always void return_slot(struct lookup *l) {
    asm volatile("" ::: "memory");
    *(volatile __u32 *)&l->busy = 0;
}
