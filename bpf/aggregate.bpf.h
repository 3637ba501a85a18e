/*
 * Counting decoded lookups per call site and type, on each CPU for itself. Additions are atomic all the same:
 * on a preemptible kernel a thread can be taken off its CPU in the middle of the program.
 */
#pragma once

#include "target.bpf.h"
#include "bounds.h"

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
    __uint(max_entries, 1);
    __type(key, struct lookup_key);
    __type(value, struct lookup_stats);
} lookups SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, COUNTER_COUNT);
    __type(key, __u32);
    __type(value, __u64);
} counters SEC(".maps");

/* Too large for the stack, and the starting value of every aggregate. */
const struct lookup_stats no_lookups = {};

static const __u32 count_bounds[] = COUNT_BOUNDS;
_Static_assert(sizeof(count_bounds) / sizeof(__u32) == COUNT_BUCKETS - 1, "one more bucket than bounds");

inline_always void add(__u64 *to, __u64 n) { __sync_fetch_and_add(to, n); }

inline_always void raise_to(__u64 *to, __u64 value) {
    for (int i = 0; i < 4; i++) {
        __u64 before = *to;
        if (value <= before || __sync_val_compare_and_swap(to, before, value) == before)
            return;
    }
}

inline_always void count(__u32 counter) {
    __u64 *value = bpf_map_lookup_elem(&counters, &counter);
    if (value)
        add(value, 1);
}

/* An index that the verifier can see to be within an array of `size`. */
inline_always __u32 within(__u32 index, __u32 size) { return index < size ? index : size - 1; }

/* Small counts have a bucket each; the others are searched. */
#define DIRECT_BUCKETS 8

inline_always __u32 count_bucket(__u32 value) {
    if (value <= DIRECT_BUCKETS)
        return value;
    __u32 bucket = DIRECT_BUCKETS + 1;
    for (int i = DIRECT_BUCKETS + 1; i < COUNT_BUCKETS - 1; i++)
        if (value > count_bounds[i])
            bucket = i + 1;
    return bucket;
}

/* The tenth in which part/whole lies, upper bounds inclusive: 0 is [0, 0.1], 1 is (0.1, 0.2], ... */
inline_always __u32 tenth(__u64 part, __u64 whole) {
    if (part == 0 || whole == 0)
        return 0;
    __u64 bucket = (10 * part - 1) / whole;
    return bucket < RATIO_BUCKETS ? bucket : RATIO_BUCKETS - 1;
}

inline_always __u64 fixed_point(__u64 part, __u64 whole) { return whole ? (part << 32) / whole : 0; }

/* Remembers that this map was seen: one bit of a sketch by the hash of its address. */
inline_always void remember_map(struct lookup_stats *stats, __u64 map) {
    __u32 cell = (map * WRAPPER_FILTER_MULTIPLIER) >> 55;
    __u64 bit = 1ULL << (cell & 63);
    __u64 *word = &stats->maps_seen[(cell >> 6) & (MAP_SKETCH_WORDS - 1)];
    if (!(*word & bit))
        __sync_fetch_and_or(word, bit);
}

inline_always struct lookup_stats *find_or_create(struct lookup_key *key) {
    struct lookup_stats *stats = bpf_map_lookup_elem(&lookups, key);
    if (stats)
        return stats;
    /* Another CPU may have created it meanwhile: that is as good. */
    bpf_map_update_elem(&lookups, key, &no_lookups, BPF_NOEXIST);
    return bpf_map_lookup_elem(&lookups, key);
}

separate outcome aggregate(const struct lookup *l, struct lookup_key *key) {
    if (!l || !key)
        return COUNTER_DROPPED_TABLE_FULL;
    struct lookup_stats *stats = find_or_create(key);
    if (!stats)
        return COUNTER_DROPPED_TABLE_FULL;
    add(&stats->lookups, 1);
    add(&stats->probe_length[within(count_bucket(l->probe_length), COUNT_BUCKETS)], 1);
    add(&stats->probe_length_sum, l->probe_length);
    raise_to(&stats->probe_length_max, l->probe_length);
    add(&stats->key_comparisons[within(count_bucket(l->comparisons), COUNT_BUCKETS)], 1);
    add(&stats->key_comparisons_sum, l->comparisons);
    raise_to(&stats->key_comparisons_max, l->comparisons);
    add(&stats->home_position[tenth(l->home, l->buckets)], 1);
    add(&stats->home_position_sum, fixed_point(l->home, l->buckets));
    add(&stats->load_factor[tenth(l->used, l->slots)], 1);
    add(&stats->load_factor_sum, fixed_point(l->used, l->slots));
    if (l->growing)
        add(&stats->growing, 1);
    if (l->inexact)
        add(&stats->inexact[within(l->inexact, INEXACT_COUNT)], 1);
    if (l->entries > stats->entries_max) {
        raise_to(&stats->entries_max, l->entries);
        stats->buckets_at_max = l->buckets;
        stats->overflow_at_max = l->overflow;
        stats->tombstones_at_max = l->tombstones;
    }
    remember_map(stats, l->map);
    return COUNTER_OBSERVED;
}
