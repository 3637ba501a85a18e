/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each goroutine's lookups cost. There are two tables: user space has the programs count in one while it
 * empties the other, which is left alone as soon as no hit is under way that began before the change.
 *
 * A table is a list of entries and a hash table of places that tell whose they are, both in arrays: a hash
 * map's lookup would be a tenth of what a hit costs. Each change of tables begins a new cycle, the number of
 * which marks the places that are taken: user space has nothing to clear.
 *
 * A goroutine runs on one thread at a time, and a thread is in the middle of one hit at most: only one hit
 * ever looks for a goroutine's place, takes one for it, or counts in its entry, and its additions need not be
 * atomic. Places alone are wanted by several.
 */
#pragma once

#include "counts/aggregate.bpf.h"
#include "counts/window.bpf.h"
#include "shared/cost.h"
#include "who/goroutine.bpf.h"

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct goroutine_cost);
} goroutine_costs_0 SEC(".maps"), goroutine_costs_1 SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct goroutine_place);
} goroutine_places_0 SEC(".maps"), goroutine_places_1 SEC(".maps");

/* How many entries of each table have been asked for, which may be more than it has. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 2);
    __type(key, __u32);
    __type(value, __u64);
} goroutine_counts SEC(".maps");

/* Lookups that no entry counts, by enum unattributed; never reset. */
struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, UNATTRIBUTED_COUNT);
    __type(key, __u32);
    __type(value, struct unattributed_cost);
} unattributed_costs SEC(".maps");

const volatile __u32 goroutine_places; /* of each table: a power of two, at least twice its entries */

/* Places that are looked at for a goroutine, one further away than the other. */
#define PLACE_TRIES 32

/* With a cycle's number: the place is being taken, and does not say for whom yet. */
#define PLACE_TAKING (1U << 31)

const struct goroutine_cost no_cost = {};

/*
 * bpf_map_lookup_elem() that the compiler must not merge with another one: the verifier inlines a call only
 * where it knows the map.
 */
#define LOOK_UP_APART(map, key)                                                                              \
    ({                                                                                                       \
        void *found_apart = bpf_map_lookup_elem(map, key);                                                   \
        barrier_var(found_apart);                                                                            \
        found_apart;                                                                                         \
    })

static __always_inline struct goroutine_cost *cost_entry(__u32 number, __u32 cycle) {
    return cycle & 1 ? LOOK_UP_APART(&goroutine_costs_1, &number)
                     : bpf_map_lookup_elem(&goroutine_costs_0, &number);
}

static __always_inline struct goroutine_place *goroutine_place(__u32 number, __u32 cycle) {
    number &= goroutine_places - 1;
    return cycle & 1 ? LOOK_UP_APART(&goroutine_places_1, &number)
                     : bpf_map_lookup_elem(&goroutine_places_0, &number);
}

static __always_inline __u32 first_place(__u64 id) { return (id * HASH_MULTIPLIER) >> 32; }

/* Whether the place is this goroutine's. What it says else is only true once its cycle says so. */
static __always_inline int is_place_of(const struct goroutine_place *place, __u64 id, __u32 cycle) {
    if (*(volatile const __u32 *)&place->cycle != cycle)
        return 0;
    return *(volatile const __u64 *)&place->goroutine == id;
}

/* Makes an entry of the goroutine that this g works for. Its number plus one; 0: there is no room. */
__noinline __u32 make_entry(__u64 g, __u64 id, __u32 cycle) {
    __u32 table = cycle & 1;
    __u64 *count = bpf_map_lookup_elem(&goroutine_counts, &table);
    if (!count)
        return 0;
    __u32 number = __sync_fetch_and_add(count, 1);
    struct goroutine_cost *cost = cost_entry(number, cycle);
    if (!cost)
        return 0;
    *cost = no_cost;
    cost->goroutine = id;
    g = goroutines.parent_goid ? user_goroutine(g) : 0;
    if (g)
        read_user(&cost->parent, sizeof(cost->parent), g + goroutines.parent_goid);
    return number + 1;
}

/* Takes the place for the goroutine if it is free; 1 when it has been taken. */
__noinline int take_place_for(struct goroutine_place *place, __u64 g, __u64 id, __u32 cycle) {
    if (!place)
        return 0;
    __u32 before = place->cycle;
    if ((before & ~PLACE_TAKING) == cycle ||
        __sync_val_compare_and_swap(&place->cycle, before, cycle | PLACE_TAKING) != before)
        return 0;
    place->goroutine = id;
    place->entry = make_entry(g, id, cycle);
    barrier();
    *(volatile __u32 *)&place->cycle = cycle;
    return 1;
}

/* The number plus one of the goroutine's entry, which is made if there is none; 0: there is no room for it.
 */
__noinline __u32 find_entry(__u64 g, __u64 id, __u32 cycle) {
    __u32 number = first_place(id);
    for (__u32 i = 1; i <= PLACE_TRIES; i++) {
        struct goroutine_place *place = goroutine_place(number, cycle);
        if (place && (is_place_of(place, id, cycle) || take_place_for(place, g, id, cycle)))
            return place->entry;
        number += i;
    }
    return 0;
}

__noinline int count_unattributed(const struct lookup *l, __u32 reason) {
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
static __always_inline void add_own_count(__u32 *buckets, __u64 *sum, __u32 *max, __u32 value) {
    buckets[within(count_bucket(value), COUNT_BUCKETS)]++;
    if (value > DIRECT_BUCKETS)
        *sum += value;
    if (value > *max)
        *max = value;
}

/* Counts a lookup, already counted in its aggregate, for the goroutine of this id; 0: it has none. */
static __always_inline int count_for_goroutine(const struct lookup *l, __u64 id, __u32 cycle) {
    if (!id)
        return count_unattributed(l, UNATTRIBUTED_NO_GOROUTINE);
    struct goroutine_place *place = goroutine_place(first_place(id), cycle);
    __u32 entry = place && is_place_of(place, id, cycle) ? place->entry : find_entry(l->g, id, cycle);
    struct goroutine_cost *cost = cost_entry(entry - 1, cycle);
    if (!cost)
        return count_unattributed(l, UNATTRIBUTED_NO_ROOM);
    cost->hits += l->hit;
    add_own_count(cost->probe_length, &cost->probe_length_sum, &cost->probe_length_max, l->probe_length);
    add_own_count(cost->key_comparisons, &cost->key_comparisons_sum, &cost->key_comparisons_max,
                  l->comparisons);
    return 0;
}
