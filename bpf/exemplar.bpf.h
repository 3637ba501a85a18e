/*
 * Candidates for exemplars: of each bucket of each aggregate one lookup per CPU and export cycle, with its
 * goroutine and its trace. All others pay for a look at two words.
 */
#pragma once

#include "aggregate.bpf.h"
#include "goroutine.bpf.h"
#include "tracesources.bpf.h"
#include "window.bpf.h"

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_HASH);
    __uint(max_entries, 1);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct exemplar_key);
    __type(value, struct exemplar);
} exemplars SEC(".maps");

/* Bit of the key comparisons' buckets in exemplars_taken. */
#define COMPARISONS_SHIFT 32

/* Fills l->exemplar with who made the lookup; 1 if it is wanted: a trace that is not recorded leads nowhere.
 */
separate int describe_exemplar(struct lookup *l) {
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
    e->time = bpf_ktime_get_ns();
    return (e->trace_form && e->sampled != SAMPLED_NO) || goroutines.without_trace;
}

separate int keep_exemplar(struct lookup *l, __u32 bucket) {
    if (!l)
        return 0;
    l->exemplar_key.name = l->name;
    l->exemplar_key.bucket = bucket;
    return bpf_map_update_elem(&exemplars, &l->exemplar_key, &l->exemplar, BPF_ANY);
}

/* Keeps the lookup, already counted in `stats`, as candidate of those of its buckets that have none in this
 * cycle. */
separate int offer_exemplar(struct lookup *l, struct lookup_stats *stats) {
    __u32 zero = 0;
    struct window_control *control = bpf_map_lookup_elem(&window_controls, &zero);
    if (!l || !stats || !control)
        return 0;
    if (stats->exemplar_cycle != control->exemplar_cycle) {
        stats->exemplar_cycle = control->exemplar_cycle;
        stats->exemplars_taken = 0;
    }
    __u32 probes = count_bucket(l->probe_length), compares = count_bucket(l->comparisons);
    __u64 bits = 1ULL << (probes & 31) | 1ULL << (COMPARISONS_SHIFT + (compares & 31));
    __u64 missing = bits & ~stats->exemplars_taken;
    if (!missing || !describe_exemplar(l))
        return 0;
    l->exemplar.cycle = control->exemplar_cycle;
    stats->exemplars_taken |= missing;
    if (missing & ((1ULL << COMPARISONS_SHIFT) - 1))
        keep_exemplar(l, probes);
    if (missing >> COMPARISONS_SHIFT)
        keep_exemplar(l, COUNT_BUCKETS + compares);
    return 0;
}
