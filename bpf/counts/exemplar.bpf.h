/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Candidates for exemplars: of each bucket of each aggregate a few lookups per export cycle, each with its
 * goroutine and its trace. All others pay for a look at two words.
 */
#pragma once

#include "counts/aggregate.bpf.h"
#include "counts/window.bpf.h"
#include "shared/exemplar.h"
#include "who/goroutine.bpf.h"
#include "who/trace_source.bpf.h"

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1);
    __type(key, struct exemplar_key);
    __type(value, struct exemplar);
} exemplars SEC(".maps");

/* Fills l->exemplar with who made the lookup; 1 if it is wanted: a trace that is not recorded leads nowhere.
 */
__noinline int describe_exemplar(struct lookup *l) {
    if (!l)
        return 0;
    struct exemplar *e = &l->exemplar;
    __u64 g = user_goroutine(l->g);
    e->trace_form = ID_NONE;
    e->span_form = ID_NONE;
    e->sampled = SAMPLED_UNKNOWN;
    e->goroutine = 0;
    e->parent_goroutine = 0;
    if (g) {
        read_user(&e->goroutine, sizeof(e->goroutine), g + goroutines.goid);
        if (goroutines.parent_goid)
            read_user(&e->parent_goroutine, sizeof(e->parent_goroutine), g + goroutines.parent_goid);
        find_trace(l, g);
    }
    e->probe_length = l->probe_length;
    e->key_comparisons = l->comparisons;
    e->time = bpf_ktime_get_boot_ns();
    return (e->trace_form && e->sampled != SAMPLED_NO) || goroutines.without_trace;
}

__noinline int record_exemplar(struct lookup *l, __u32 bucket) {
    if (!l || !(l = lookup_from_map(l)))
        return 0;
    l->exemplar_key.name = l->name;
    l->exemplar_key.bucket = bucket;
    l->exemplar_key.shard = bpf_get_smp_processor_id() % EXEMPLAR_SHARDS;
    struct cpu_state *cpu = this_cpu();
    if (bpf_map_update_elem(&exemplars, &l->exemplar_key, &l->exemplar, BPF_ANY) && cpu)
        add(&cpu->lost_exemplars, 1);
    return 0;
}

/*
 * Takes a bucket of those that are taken already; 0 if it is one of them. Each kind of buckets has a word of
 * its own: of one word of which both halves are tested in turn, Linux 6.18's verifier believes that it
 * contradicts itself, and warns in the kernel's log.
 */
static __always_inline int take_bucket(__u32 *taken, __u32 bucket) {
    __u32 bit = 1U << (bucket & 31);
    if (*taken & bit)
        return 0;
    *taken |= bit;
    return 1;
}

/* Records the lookup as candidate of those of its buckets that have none. */
__noinline int record_missing(struct lookup *l, struct lookup_stats *stats) {
    if (!l || !stats)
        return 0;
    __u32 probes = count_bucket(l->probe_length);
    if (take_bucket(&stats->probe_lengths_taken, probes))
        record_exemplar(l, probes);
    __u32 compares = count_bucket(l->comparisons);
    if (take_bucket(&stats->key_comparisons_taken, compares))
        record_exemplar(l, COUNT_BUCKETS + compares);
    return 0;
}

static __always_inline int is_taken(__u32 taken, __u32 bucket) { return taken >> (bucket & 31) & 1; }

/* Records the lookup, already counted in `stats`, as candidate of those of its buckets that have none in this
 * cycle. */
__noinline int offer_exemplar(struct lookup *l, struct lookup_stats *stats) {
    __u32 zero = 0;
    struct window_control *control = bpf_map_lookup_elem(&window_controls, &zero);
    if (!l || !stats || !control)
        return 0;
    if (is_taken(stats->probe_lengths_taken, count_bucket(l->probe_length)) &&
        is_taken(stats->key_comparisons_taken, count_bucket(l->comparisons)))
        return 0;
    if (!describe_exemplar(l))
        return 0;
    l->exemplar.cycle = control->cycle;
    return record_missing(l, stats);
}
