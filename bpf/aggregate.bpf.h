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

/* Small counts have a bucket each; the others are searched. */
inline_always __u32 count_bucket(__u32 value) {
    if (value <= DIRECT_BUCKETS)
        return value;
    __u32 bucket = DIRECT_BUCKETS + 1;
    for (int i = DIRECT_BUCKETS + 1; i < COUNT_BUCKETS - 1; i++)
        if (value > count_bounds[i])
            bucket = i + 1;
    return bucket;
}

inline_always void add_count(__u64 *buckets, __u64 *sum, __u64 *max, __u32 value) {
    add(&buckets[within(count_bucket(value), COUNT_BUCKETS)], 1);
    if (value > DIRECT_BUCKETS)
        add(sum, value);
    raise_to(max, value);
}

/*
 * A ratio part / 2^log2 into its tenth, upper bounds inclusive: 0 is [0, 0.1], 1 is (0.1, 0.2], ... All
 * wholes are powers of two (buckets, groups, slots), which saves divisions.
 */
inline_always void add_ratio(__u64 *buckets, __u64 *sum, __u64 part, __u32 log2) {
    log2 &= 31;
    __u64 bucket = part ? (10 * part - 1) >> log2 : 0;
    add(&buckets[within(bucket, RATIO_BUCKETS)], 1);
    add(sum, (part << 32) >> log2);
}

/* Remembers that this map was seen: one bit of a sketch by the hash of its address. */
inline_always void remember_map(struct lookup_stats *stats, __u64 map) {
    __u32 cell = (map * WRAPPER_FILTER_MULTIPLIER) >> 55;
    __u64 bit = 1ULL << (cell & 63);
    __u64 *word = &stats->maps_seen[(cell >> 6) & (MAP_SKETCH_WORDS - 1)];
    if (!(*word & bit))
        __sync_fetch_and_or(word, bit);
}

/* The aggregate of this name on this CPU; NULL when there is no room for another. */
inline_always struct lookup_stats *find_or_create(const struct lookup_key *key) {
    struct lookup_stats *stats = bpf_map_lookup_elem(&lookups, key);
    if (stats)
        return stats;
    /* Another CPU may have created it meanwhile: that is as good. */
    bpf_map_update_elem(&lookups, key, &no_lookups, BPF_NOEXIST);
    return bpf_map_lookup_elem(&lookups, key);
}

separate int count_lookup(const struct lookup *l, struct lookup_stats *stats) {
    if (!l || !stats)
        return 0;
    add_count(stats->probe_length, &stats->probe_length_sum, &stats->probe_length_max, l->probe_length);
    add_count(stats->key_comparisons, &stats->key_comparisons_sum, &stats->key_comparisons_max,
              l->comparisons);
    add_ratio(stats->home_position, &stats->home_position_sum, l->home, l->log2_buckets);
    add_ratio(stats->load_factor, &stats->load_factor_sum, l->used, l->log2_slots);
    if (l->growing)
        add(&stats->growing, 1);
    if (l->inexact)
        add(&stats->inexact[within(l->inexact, INEXACT_COUNT)], 1);
    if (l->entries > stats->entries_max) {
        raise_to(&stats->entries_max, l->entries);
        stats->buckets_at_max = 1ULL << (l->log2_buckets & 63);
        stats->overflow_at_max = l->overflow;
        stats->tombstones_at_max = l->tombstones;
    }
    remember_map(stats, l->map);
    return 0;
}
