/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an aggregate notes of the maps that were looked into: how many there were, and their states.
 */
#pragma once

#include "gomap/hit.bpf.h"
#include "shared/hash.h"
#include "shared/stats.h"
#include "shared/window.h"

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct window_control);
} window_controls SEC(".maps");
/*
 * Spreads an address over all bits. One multiplication does not: each bit of a product depends on lower ones
 * only, and the addresses of maps differ in equal steps, which it would turn into equal steps again.
 */
static __always_inline __u64 spread(__u64 address) {
    address *= HASH_MULTIPLIER;
    address ^= address >> 32;
    return address * SPREAD_MULTIPLIER;
}

/* Raises a register of the sketch to the rank of these bits. */
__noinline int raise_register(__u64 *word, __u32 shift, __u32 bits) {
    __u64 rank = 1;
    if (!word)
        return 0;
    for (int zeros = 1; zeros < MAP_REGISTER_MOST; zeros++)
        if (!(bits >> (MAP_REGISTER_MOST - zeros)))
            rank = zeros + 1;
    shift &= 63;
    for (int i = 0; i < 4; i++) {
        __u64 before = *word, lower = before >> shift & MAP_REGISTER_MOST;
        if (lower >= rank ||
            __sync_val_compare_and_swap(word, before, before + ((rank - lower) << shift)) == before)
            return 0;
    }
    /* The next lookup in the map tries again. */
    return 0;
}

/* Remembers that this map was seen. Nearly always its register has a rank as high already. */
static __always_inline void remember_map(struct lookup_stats *stats, __u64 map) {
    __u64 hash = spread(map);
    __u32 number = hash >> (64 - MAP_REGISTERS_LOG2);
    /* As many bits of the hash as ranks below the most, and a one, which ends them. */
    __u32 bits = hash << MAP_REGISTERS_LOG2 >> (64 - MAP_REGISTER_MOST) | 1;
    __u32 shift = number % (64 / MAP_REGISTER_BITS) * MAP_REGISTER_BITS;
    __u64 *word = &stats->map_registers[within(number / (64 / MAP_REGISTER_BITS), MAP_SKETCH_WORDS)];
    __u32 highest = *word >> shift & MAP_REGISTER_MOST;
    if (!(bits >> (MAP_REGISTER_MOST - highest)))
        raise_register(word, shift, bits);
}

static __always_inline void note_state(struct map_state *to, const struct lookup *l, __u64 now) {
    to->seen_at = now;
    to->entries = l->entries;
    to->overflow = l->overflow;
    to->tombstones = l->tombstones;
    to->log2_buckets = l->log2_buckets;
    to->directory = l->directory;
}

static __always_inline __u32 current_cycle(void) {
    __u32 zero = 0;
    struct window_control *control = bpf_map_lookup_elem(&window_controls, &zero);
    return control ? control->cycle : 0;
}

/*
 * In a new cycle no map is the largest yet, and no bucket has a candidate. What is there of the cycle before
 * stays for user space, unless it is older.
 */
static __always_inline void begin_cycle(struct lookup_stats *stats, __u32 cycle) {
    struct map_state *before = &stats->largest[(cycle + 1) % LARGEST_CYCLES];
    stats->largest[cycle % LARGEST_CYCLES].entries = 0;
    if (stats->cycle + 1 != cycle)
        before->seen_at = 0;
    stats->probe_lengths_taken = 0;
    stats->key_comparisons_taken = 0;
    barrier();
    *(volatile __u32 *)&stats->cycle = cycle;
}

/*
 * Notes the state of the map: as the latest, and as the largest of this cycle, unless a larger one was seen.
 * What is told of a map is of one lookup: of several at once, in an aggregate that is shared, one writes it.
 */
static __always_inline void note_states(struct lookup_stats *stats, const struct lookup *l, __u32 shared) {
    if (shared && __sync_lock_test_and_set(&stats->state_busy, 1))
        return;
    __u64 now = bpf_jiffies64();
    __u32 cycle = current_cycle();
    if (stats->cycle != cycle)
        begin_cycle(stats, cycle);
    struct map_state *largest = &stats->largest[cycle % LARGEST_CYCLES];
    note_state(&stats->latest, l, now);
    if (l->entries >= largest->entries)
        note_state(largest, l, now);
    if (shared) {
        barrier();
        *(volatile __u32 *)&stats->state_busy = 0;
    }
}

/* Notes which map it was, and its state. */
static __always_inline void note_map(struct lookup_stats *stats, const struct lookup *l, __u32 shared) {
    note_states(stats, l, shared);
    remember_map(stats, l->map);
}
