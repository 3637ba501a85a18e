/*
 * What each goroutine's lookups cost. There are two tables: user space has the programs count in one while it
 * empties the other, which is left alone as soon as no hit is under way that began before the change.
 *
 * A goroutine runs on one thread at a time, and a thread is in the middle of one hit at most: only one hit
 * ever counts in an entry, and its additions need not be atomic.
 */
#pragma once

#include "aggregate.bpf.h"
#include "goroutine.bpf.h"
#include "window.bpf.h"

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1);
    __type(key, __u64); /* the goroutine's id */
    __type(value, struct goroutine_cost);
} goroutine_costs_0 SEC(".maps"), goroutine_costs_1 SEC(".maps");

/* Lookups that no entry counts, by enum unattributed; never reset. */
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, UNATTRIBUTED_COUNT);
    __type(key, __u32);
    __type(value, struct unattributed_cost);
} unattributed_costs SEC(".maps");

const struct goroutine_cost no_cost = {};

inline_always struct goroutine_cost *find_cost(__u64 *id, __u32 table) {
    return table ? bpf_map_lookup_elem(&goroutine_costs_1, id) : bpf_map_lookup_elem(&goroutine_costs_0, id);
}

/* Makes the entry of the goroutine that this g works for, which has none in this table yet. */
separate int add_goroutine(__u64 g, __u64 id, __u32 table) {
    if (table)
        bpf_map_update_elem(&goroutine_costs_1, &id, &no_cost, BPF_NOEXIST);
    else
        bpf_map_update_elem(&goroutine_costs_0, &id, &no_cost, BPF_NOEXIST);
    struct goroutine_cost *cost = find_cost(&id, table);
    if (!cost || !goroutines.parent_goid)
        return 0;
    g = user_goroutine(g);
    return g ? read_user(&cost->parent, sizeof(cost->parent), g + goroutines.parent_goid) : 0;
}

separate int count_unattributed(const struct lookup *l, __u32 reason) {
    struct unattributed_cost *cost = bpf_map_lookup_elem(&unattributed_costs, &reason);
    if (!l || !cost)
        return 0;
    add(&cost->hits, l->hit);
    tally_count(cost->probe_length, &cost->probe_length_sum, &cost->probe_length_max, l->probe_length, 1);
    tally_count(cost->key_comparisons, &cost->key_comparisons_sum, &cost->key_comparisons_max, l->comparisons,
                1);
    return 0;
}

/* tally_count() for a value that nobody else adds to. */
inline_always void add_own_count(__u32 *buckets, __u64 *sum, __u32 *max, __u32 value) {
    buckets[within(count_bucket(value), COUNT_BUCKETS)]++;
    if (value > DIRECT_BUCKETS)
        *sum += value;
    if (value > *max)
        *max = value;
}

/* Counts a lookup, already counted in its aggregate, for the goroutine of this id; 0: it has none. */
inline_always int count_for_goroutine(const struct lookup *l, __u64 id, __u32 table) {
    if (!id)
        return count_unattributed(l, UNATTRIBUTED_NO_GOROUTINE);
    struct goroutine_cost *cost = find_cost(&id, table);
    if (!cost) {
        add_goroutine(l->g, id, table);
        cost = find_cost(&id, table);
    }
    if (!cost)
        return count_unattributed(l, UNATTRIBUTED_NO_ROOM);
    cost->hits += l->hit;
    add_own_count(cost->probe_length, &cost->probe_length_sum, &cost->probe_length_max, l->probe_length);
    add_own_count(cost->key_comparisons, &cost->key_comparisons_sum, &cost->key_comparisons_max,
                  l->comparisons);
    return 0;
}
