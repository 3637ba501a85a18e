/*
 * Counting decoded lookups per call site and type, on each CPU for itself.
 *
 * A CPU's own aggregates belong to the hit that has its first slot (work.bpf.h), and so to one thread at a
 * time: nothing there needs an atomic instruction, and they are found through a table in arrays, which costs
 * a fraction of what a hash map's lookup does. The rare hit that comes upon another one in its middle, on the
 * same CPU, counts into `shared_lookups`. User space adds the two up.
 */
#pragma once

#include "target.bpf.h"
#include "bounds.h"

/* In the order in which the CPU met them. */
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct aggregate);
} aggregates SEC(".maps");

/* By hash of the name: an aggregate's index plus one. A name is in one of AGGREGATE_TRIES places from that of
 * its hash on, and nothing but names is before it. */
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} aggregate_places SEC(".maps");

#define AGGREGATE_TRIES 16

const volatile __u32 aggregate_table; /* places in it: a power of two, at least twice the aggregates */

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
    __uint(max_entries, 1);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct lookup_key);
    __type(value, struct lookup_stats);
} shared_lookups SEC(".maps");

/* Too large for the stack, and the starting value of every aggregate. */
const struct lookup_stats no_lookups = {};

static const __u32 count_bounds[] = COUNT_BOUNDS;
_Static_assert(sizeof(count_bounds) / sizeof(__u32) == COUNT_BUCKETS - 1, "one more bucket than bounds");

inline_always void add(__u64 *to, __u64 n) { __sync_fetch_and_add(to, n); }

/* Adds to an aggregate, which may be shared with other hits on this CPU. */
inline_always void tally(__u64 *to, __u64 n, int shared) {
    if (shared)
        add(to, n);
    else
        *to += n;
}

inline_always void raise_to(__u64 *to, __u64 value, int shared) {
    if (!shared) {
        if (value > *to)
            *to = value;
        return;
    }
    for (int i = 0; i < 4; i++) {
        __u64 before = *to;
        if (value <= before || __sync_val_compare_and_swap(to, before, value) == before)
            return;
    }
}

/* Large counts are rare. A function of its own: the verifier would follow each of its results further. */
separate __u32 large_count_bucket(__u32 value) {
    __u32 bucket = DIRECT_BUCKETS + 1;
    for (int i = DIRECT_BUCKETS + 1; i < COUNT_BUCKETS - 1; i++)
        if (value > count_bounds[i])
            bucket = i + 1;
    return bucket;
}

/* Small counts have a bucket each; the others are searched. */
inline_always __u32 count_bucket(__u32 value) {
    return value <= DIRECT_BUCKETS ? value : large_count_bucket(value);
}

inline_always void tally_count(__u64 *buckets, __u64 *sum, __u64 *max, __u32 value, int shared) {
    tally(&buckets[within(count_bucket(value), COUNT_BUCKETS)], 1, shared);
    if (value > DIRECT_BUCKETS)
        tally(sum, value, shared);
    raise_to(max, value, shared);
}

/*
 * A ratio part / 2^log2 into its tenth, upper bounds inclusive: 0 is [0, 0.1], 1 is (0.1, 0.2], ... All
 * wholes are powers of two (buckets, groups, slots), which saves divisions.
 */
inline_always void tally_ratio(__u64 *buckets, __u64 *sum, __u64 part, __u32 log2, int shared) {
    log2 &= 31;
    __u64 bucket = part ? (10 * part - 1) >> log2 : 0;
    tally(&buckets[within(bucket, RATIO_BUCKETS)], 1, shared);
    tally(sum, (part << 32) >> log2, shared);
}

/* Remembers that this map was seen: one bit of a sketch by the hash of its address. */
inline_always void remember_map(struct lookup_stats *stats, __u64 map) {
    __u32 cell = (map * HASH_MULTIPLIER) >> 55;
    __u64 bit = 1ULL << (cell & 63);
    __u64 *word = &stats->maps_seen[(cell >> 6) & (MAP_SKETCH_WORDS - 1)];
    if (!(*word & bit))
        __sync_fetch_and_or(word, bit);
}

inline_always void count_in(struct lookup_stats *stats, const struct lookup *l, int shared) {
    tally_count(stats->probe_length, &stats->probe_length_sum, &stats->probe_length_max, l->probe_length,
                shared);
    tally_count(stats->key_comparisons, &stats->key_comparisons_sum, &stats->key_comparisons_max,
                l->comparisons, shared);
    tally_ratio(stats->home_position, &stats->home_position_sum, l->home, l->log2_buckets, shared);
    tally_ratio(stats->load_factor, &stats->load_factor_sum, l->used, l->log2_slots, shared);
    if (l->growing)
        tally(&stats->growing, 1, shared);
    if (l->inexact)
        tally(&stats->inexact[within(l->inexact, INEXACT_COUNT)], 1, shared);
    if (l->entries > stats->entries_max) {
        raise_to(&stats->entries_max, l->entries, shared);
        stats->buckets_at_max = 1ULL << (l->log2_buckets & 63);
        stats->overflow_at_max = l->overflow;
        stats->tombstones_at_max = l->tombstones;
    }
    remember_map(stats, l->map);
}

/* Makes an aggregate for a name, found at this place. User space reads no further than `cpu->aggregates`. */
inline_always struct aggregate *create_aggregate(const struct lookup *l, struct cpu_state *cpu,
                                                 __u32 *place) {
    __u32 index = cpu->aggregates;
    struct aggregate *made = bpf_map_lookup_elem(&aggregates, &index);
    if (!made)
        return NULL;
    made->name = l->name;
    asm volatile("" ::: "memory");
    cpu->aggregates = index + 1;
    *place = index + 1;
    return made;
}

/* The aggregate of the lookup's name among the CPU's own, for the hit with the first slot; NULL when there is
 * no room for another. */
inline_always struct lookup_stats *find_own(const struct lookup *l, struct cpu_state *cpu) {
    /* Addresses have 47 bits: above are the function and the result. */
    __u64 mixed = (l->name.caller + l->name.type) ^ l->name.caller >> 40;
    __u32 first = (mixed * HASH_MULTIPLIER) >> 32;
    for (__u32 i = 0; i < AGGREGATE_TRIES; i++) {
        __u32 at = (first + i) & (aggregate_table - 1);
        __u32 *place = bpf_map_lookup_elem(&aggregate_places, &at);
        if (!place)
            break;
        struct aggregate *found;
        if (*place) {
            at = *place - 1;
            found = bpf_map_lookup_elem(&aggregates, &at);
        } else {
            found = create_aggregate(l, cpu, place);
        }
        if (!found)
            break;
        if (found->name.caller == l->name.caller && found->name.type == l->name.type)
            return &found->stats;
    }
    return NULL;
}

/* The aggregate of this name among those that hits on this CPU share; NULL when there is no room for another.
 */
inline_always struct lookup_stats *find_shared(const struct lookup *l) {
    struct lookup_stats *stats = bpf_map_lookup_elem(&shared_lookups, &l->name);
    if (stats)
        return stats;
    /* Another CPU may have created it meanwhile: that is as good. */
    bpf_map_update_elem(&shared_lookups, &l->name, &no_lookups, BPF_NOEXIST);
    return bpf_map_lookup_elem(&shared_lookups, &l->name);
}
