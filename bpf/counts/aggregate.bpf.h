/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counting decoded lookups per call site and type, on each CPU for itself as long as there is room.
 *
 * A CPU's own aggregates belong to the hit that has its own scratch (lib/scratch.bpf.h), and so to one thread
 * at a time: nothing there needs an atomic instruction, and no other CPU's cache wants them. The rare hit
 * that comes upon another one in its middle, on the same CPU, counts into aggregates that all CPUs share, and
 * so does what a CPU has no room for. User space adds them up.
 *
 * All are in one array, however many CPUs there are, and are found through a hash table in another one: that
 * costs a fraction of what a hash map's lookup does.
 */
#pragma once

#include "counts/maps_seen.bpf.h"
#include "gomap/hit.bpf.h"
#include "shared/bounds.h"
#include "shared/hash.h"
#include "shared/stats.h"

/* In the order in which they were made. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __uint(map_flags, ALIGNED_ARRAY);
    __type(key, __u32);
    __type(value, struct aggregate);
} aggregates SEC(".maps");

_Static_assert(sizeof(struct aggregate) % CACHE_LINE == 0,
               "aggregates of two CPUs are in lines of their own");

/* How many have been made, or asked for when there was no room. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u64);
} aggregates_made SEC(".maps");

/*
 * Aggregates that user space has taken back from names that are hardly used any more: their numbers, in a
 * ring of as many places as there are in the table of places, and how many were put there and taken from
 * there so far.
 */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} aggregates_free SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, FREE_ENDS);
    __type(key, __u32);
    __type(value, __u64);
} aggregates_free_ends SEC(".maps");

/*
 * By hash of name and owner: in the low half an aggregate's index plus one, in the high half the owner and
 * bits of the hash, so that other CPUs' aggregates, which they write all the time, are not looked at. A name
 * is in one of AGGREGATE_TRIES places from that of its hash on, and nothing but names is before it, and
 * places that user space has taken from names (GIVEN_UP).
 */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u64);
} aggregate_places SEC(".maps");

#define AGGREGATE_TRIES 16

const volatile __u32 aggregate_table;  /* places in it: a power of two, at least twice the aggregates */
const volatile __u32 own_aggregates;   /* beyond so many, none is a CPU's own: the rest is for shared ones */
const volatile __u32 named_aggregates; /* beyond so many, only those that count all other lookups */

/* Owner of an aggregate: a CPU's number plus one, or this. */
#define SHARED_BY_ALL 0
#define OWNER_SHIFT 18 /* in the high half of a place; the kernel's limit is 8192 CPUs */

static const __u32 count_bounds[] = COUNT_BOUNDS;
_Static_assert(sizeof(count_bounds) / sizeof(__u32) == COUNT_BUCKETS - 1, "one more bucket than bounds");

static __always_inline void add(__u64 *to, __u64 n) { __sync_fetch_and_add(to, n); }

/* Adds to an aggregate, which may be shared with other hits. */
static __always_inline void tally(__u64 *to, __u64 n, int shared) {
    if (shared)
        add(to, n);
    else
        *to += n;
}

static __always_inline void raise_to(__u32 *to, __u32 value, int shared) {
    if (!shared) {
        if (value > *to)
            *to = value;
        return;
    }
    for (int i = 0; i < 4; i++) {
        __u32 before = *to;
        if (value <= before || __sync_val_compare_and_swap(to, before, value) == before)
            return;
    }
}

/* Large counts are rare. A function of its own: the verifier would follow each of its results further. */
__noinline __u32 large_count_bucket(__u32 value) {
    __u32 bucket = DIRECT_BUCKETS + 1;
    for (int i = DIRECT_BUCKETS + 1; i < COUNT_BUCKETS - 1; i++)
        if (value > count_bounds[i])
            bucket = i + 1;
    return bucket;
}

/* Small counts have a bucket each; the others are searched. */
static __always_inline __u32 count_bucket(__u32 value) {
    return value <= DIRECT_BUCKETS ? value : large_count_bucket(value);
}

static __always_inline void tally_count(__u64 *buckets, __u64 *sum, __u32 *max, __u32 value, int shared) {
    tally(&buckets[within(count_bucket(value), COUNT_BUCKETS)], 1, shared);
    if (value > DIRECT_BUCKETS)
        tally(sum, value, shared);
    raise_to(max, value, shared);
}

/*
 * A ratio part / 2^log2 into its tenth, upper bounds inclusive: 0 is [0, 0.1], 1 is (0.1, 0.2], ... All
 * wholes are powers of two (buckets, groups, slots), which saves divisions.
 */
static __always_inline void tally_ratio(__u64 *buckets, __u64 *sum, __u64 part, __u32 log2, int shared) {
    log2 &= 31;
    __u64 bucket = part ? (10 * part - 1) >> log2 : 0;
    tally(&buckets[within(bucket, RATIO_BUCKETS)], 1, shared);
    tally(sum, (part << RATIO_UNIT_LOG2) >> log2, shared);
}

static __always_inline void count_in(struct lookup_stats *stats, const struct lookup *l, int shared) {
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
    note_map(stats, l, shared);
}

/* An aggregate that was taken back. Its index plus one; 0: there is none, or another CPU was faster. */
__noinline __u32 reuse_aggregate(void) {
    __u32 put = FREE_PUT, taken = FREE_TAKEN;
    __u64 *end = bpf_map_lookup_elem(&aggregates_free_ends, &put);
    __u64 *begin = bpf_map_lookup_elem(&aggregates_free_ends, &taken);
    if (!end || !begin)
        return 0;
    __u64 next = *(volatile __u64 *)begin;
    __u32 place = next & (aggregate_table - 1);
    if (next >= *(volatile __u64 *)end)
        return 0;
    __u32 *free = bpf_map_lookup_elem(&aggregates_free, &place);
    if (!free)
        return 0;
    __u32 index = *free;
    return __sync_val_compare_and_swap(begin, next, next + 1) == next ? index + 1 : 0;
}

/*
 * Makes an aggregate. Its index plus one; 0: there is no room. As room gets short, a CPU gets one of its own
 * upon one hit in sixteen, a sample: what is hit often has it soon, and what is hit rarely leaves it to
 * others.
 */
__noinline __u32 make_aggregate(const struct lookup_key *name, __u32 owner, __u32 is_sampled) {
    if (!name)
        return 0;
    __u32 zero = 0;
    __u64 *made = bpf_map_lookup_elem(&aggregates_made, &zero);
    if (!made)
        return 0;
    __u64 before = *made;
    if (owner && (before >= own_aggregates || (before >= own_aggregates / 2 && !is_sampled)))
        return 0;
    __u32 index = before;
    struct aggregate *aggregate = bpf_map_lookup_elem(&aggregates, &index);
    if (name->type && before >= named_aggregates) {
        index = reuse_aggregate() - 1;
    } else {
        if (!aggregate)
            return 0;
        index = __sync_fetch_and_add(made, 1);
    }
    aggregate = bpf_map_lookup_elem(&aggregates, &index);
    if (!aggregate)
        return 0;
    /* User space takes none that has no caller. */
    aggregate->name.type = name->type;
    barrier();
    *(volatile __u64 *)&aggregate->name.caller = name->caller;
    return index + 1;
}

/* The owner's aggregate of this name, which is made if there is none; NULL when there is no room. */
static __always_inline struct lookup_stats *find_aggregate(const struct lookup *l,
                                                           const struct lookup_key *name, __u32 owner) {
    /* Addresses have 47 bits: above are the function and the result. */
    __u64 mixed = ((name->caller + name->type) ^ name->caller >> 40) + owner * HASH_MULTIPLIER;
    __u64 hash = mixed * HASH_MULTIPLIER;
    __u32 tag = owner << OWNER_SHIFT | ((__u32)hash >> (32 - OWNER_SHIFT)), first = hash >> 32, made = 0, at;
    for (__u32 i = 0; i < AGGREGATE_TRIES; i++) {
        at = (first + i) & (aggregate_table - 1);
        __u64 *place = bpf_map_lookup_elem(&aggregate_places, &at);
        if (!place)
            break;
        __u64 found = *(volatile __u64 *)place;
        if (!found) {
            /* What follows from the tag is worked out here, and not kept on the stack from the beginning. */
            __u64 wanted = tag;
            barrier_var(wanted);
            made = made ? made : make_aggregate(name, wanted >> OWNER_SHIFT, l->started != 0);
            if (!made)
                break;
            wanted = wanted << 32 | made;
            /* Another CPU may take it first: perhaps for the same shared name. */
            found = __sync_val_compare_and_swap(place, 0, wanted);
            if (!found)
                found = wanted;
        }
        if (found >> 32 != tag)
            continue;
        at = (__u32)found - 1;
        struct aggregate *aggregate = bpf_map_lookup_elem(&aggregates, &at);
        if (aggregate && aggregate->name.caller == name->caller && aggregate->name.type == name->type)
            return &aggregate->stats;
    }
    return NULL;
}

/* Of this CPU's own aggregates, for the hit that has its own scratch. */
static __always_inline struct lookup_stats *find_own(const struct lookup *l) {
    return find_aggregate(l, &l->name, bpf_get_smp_processor_id() + 1);
}

/* Of those that all share. */
static __always_inline struct lookup_stats *find_shared(const struct lookup *l) {
    return find_aggregate(l, &l->name, SHARED_BY_ALL);
}

/* The one of all lookups of the same function and result that there is no room for under their own name. */
static __always_inline struct lookup_stats *find_others(struct lookup *l) {
    l->others.caller = (l->name.caller & ~((1ULL << CALLER_HIT_SHIFT) - 1)) | OTHER_CALLERS;
    l->others.type = 0;
    return find_aggregate(l, &l->others, SHARED_BY_ALL);
}
