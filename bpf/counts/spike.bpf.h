/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Spikes: lookups whose probe length or key comparisons are above a limit, recorded in full. All are
 * counted; a few per site and cycle are recorded. Lookups that are no spikes pay for two comparisons.
 */
#pragma once

#include "counts/aggregate.bpf.h"
#include "counts/exemplar.bpf.h"
#include "counts/window.bpf.h"
#include "shared/spike.h"

const volatile struct spike_settings spikes;

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1);
    __type(key, struct lookup_key);
    __type(value, struct spike_site);
} spike_sites SEC(".maps");

const struct spike_site no_spikes = {};

_Static_assert(SPIKE_PLACES == 2 * SPIKES_KEPT, "places for two cycles");

/* Below the cycle in spike_site.places. */
#define TAKEN_BITS 8

/*
 * The most that is no spike of this lookup's site. The lookup itself, which `stats` has counted already, is
 * left out of the mean.
 */
__noinline __u32 spike_limit(const struct lookup_stats *stats, __u32 of_comparisons, __u32 value) {
    if (!stats)
        return NO_SPIKE_LIMIT;
    if (spikes.fixed)
        return spikes.fixed;
    const __u64 *counts = of_comparisons ? stats->key_comparisons : stats->probe_length;
    __u64 sum = of_comparisons ? stats->key_comparisons_sum : stats->probe_length_sum, lookups = 0;
    for (__u32 i = 0; i < COUNT_BUCKETS; i++) {
        lookups += counts[i];
        if (i <= DIRECT_BUCKETS)
            sum += i * counts[i];
    }
    if (lookups <= SPIKE_LEAST_LOOKUPS)
        return NO_SPIKE_LIMIT;
    __u64 limit = (sum - value) * spikes.factor / (lookups - 1);
    if (limit < SPIKE_LEAST)
        return SPIKE_LEAST;
    return limit < NO_SPIKE_LIMIT ? limit : NO_SPIKE_LIMIT;
}

/* Nothing up to this is above any limit. */
static __always_inline __u32 lowest_spike_limit(void) { return spikes.fixed ? spikes.fixed : SPIKE_LEAST; }

static __always_inline struct spike_site *find_or_create_spike_site(const struct lookup *l) {
    l = lookup_from_map(l);
    if (!l)
        return NULL;
    struct spike_site *site = bpf_map_lookup_elem(&spike_sites, &l->name);
    if (site)
        return site;
    bpf_map_update_elem(&spike_sites, &l->name, &no_spikes, BPF_NOEXIST);
    return bpf_map_lookup_elem(&spike_sites, &l->name);
}

/* Whether all of the cycle's places have been taken. */
static __always_inline int is_full(__u64 places, __u64 cycle) {
    return places >> TAKEN_BITS == cycle && (places & ((1 << TAKEN_BITS) - 1)) >= SPIKES_KEPT;
}

/* Takes one of the cycle's places, of which each thread gets its own; NULL when there is none. */
static __always_inline struct spike *take_spike_place(struct spike_site *site, __u64 cycle) {
    for (int i = 0; i < 4; i++) {
        __u64 before = site->places;
        if (is_full(before, cycle))
            return NULL;
        __u64 taken = before >> TAKEN_BITS == cycle ? before & ((1 << TAKEN_BITS) - 1) : 0;
        if (__sync_val_compare_and_swap(&site->places, before, cycle << TAKEN_BITS | (taken + 1)) == before)
            return &site->kept[within((cycle & 1) * SPIKES_KEPT + taken, SPIKE_PLACES)];
    }
    return NULL;
}

/* The cycle is written last: user space takes no spike that is still being written. */
__noinline int write_spike(const struct lookup *l, struct spike *to, __u64 cycle) {
    if (!l || !to)
        return 0;
    to->lookup = l->exemplar;
    to->entries = l->entries;
    to->used = l->used;
    to->home = l->home;
    to->log2_buckets = l->log2_buckets;
    to->log2_slots = l->log2_slots;
    to->overflow = l->overflow;
    to->tombstones = l->tombstones;
    to->growing = l->growing;
    barrier();
    to->lookup.cycle = cycle;
    return 0;
}

/* Counts and records the lookup, already counted in `stats`, if it is a spike and what was decoded is
 * certain.
 */
__noinline int offer_spike(struct lookup *l, const struct lookup_stats *stats) {
    __u32 zero = 0;
    if (!l || !stats || l->inexact)
        return 0;
    __u32 probes = spike_limit(stats, 0, l->probe_length), compares = spike_limit(stats, 1, l->comparisons);
    if (l->probe_length <= probes && l->comparisons <= compares)
        return 0;
    struct spike_site *site = find_or_create_spike_site(l);
    struct window_control *control = bpf_map_lookup_elem(&window_controls, &zero);
    struct cpu_state *cpu = this_cpu();
    if (!site || !control || !cpu) {
        if (cpu)
            add(&cpu->lost_spikes, 1);
        return 0;
    }
    __u64 cycle = control->spike_cycle;
    struct spike *place = NULL;
    if (!is_full(site->places, cycle)) {
        describe_exemplar(l);
        l->exemplar.cycle = 0;
        place = take_spike_place(site, cycle);
    }
    if (place) {
        place->lookup.cycle = 0;
        place->probe_length_limit = probes;
        place->key_comparisons_limit = compares;
        write_spike(l, place, cycle);
    }
    /* Last, and user space reads it first: what is seen and not kept was suppressed. */
    add(&site->seen, 1);
    return 0;
}

static __always_inline void check_spike(struct lookup *l, const struct lookup_stats *stats) {
    __u32 lowest = lowest_spike_limit();
    if (l->probe_length > lowest || l->comparisons > lowest)
        offer_spike(l, stats);
}
