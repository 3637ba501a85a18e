/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each span's lookups cost, for spans that are followed. Two tables take turns as in
 * counts/goroutine_cost.bpf.h; here several goroutines may count in one entry, so additions are atomic.
 */
#pragma once

#include "counts/aggregate.bpf.h"
#include "counts/window.bpf.h"
#include "shared/cost.h"
#include "who/span_context.bpf.h"

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1);
    __type(key, __u64); /* the span's handle */
    __type(value, struct span_cost);
} span_costs_0 SEC(".maps"), span_costs_1 SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct outside_spans);
} lookups_outside_spans SEC(".maps");

const struct span_cost no_span_cost = {};

static __always_inline struct span_cost *find_span_cost(__u64 *handle, __u32 table) {
    return table ? bpf_map_lookup_elem(&span_costs_1, handle) : bpf_map_lookup_elem(&span_costs_0, handle);
}

/* Makes the entry of a span that has none in this table yet. */
__noinline int add_span_cost(__u64 handle, __u32 table) {
    struct span_context *span = bpf_map_lookup_elem(&span_contexts, &handle);
    if (!span)
        return 0;
    if (table)
        bpf_map_update_elem(&span_costs_1, &handle, &no_span_cost, BPF_NOEXIST);
    else
        bpf_map_update_elem(&span_costs_0, &handle, &no_span_cost, BPF_NOEXIST);
    struct span_cost *cost = find_span_cost(&handle, table);
    if (!cost)
        return 0;
    __builtin_memcpy(cost->trace_id, span->trace_id, TRACE_ID_BYTES);
    __builtin_memcpy(cost->span_id, span->span_id, SPAN_ID_BYTES);
    cost->goroutine = span->goroutine;
    cost->sampled = span->sampled;
    barrier();
    if (span->handle != handle) /* the kernel has reused the entry for another span */
        __builtin_memset(cost->trace_id, 0, TRACE_ID_BYTES);
    return 0;
}

__noinline int count_outside_spans(__u32 has_span) {
    __u32 zero = 0;
    struct outside_spans *outside = bpf_map_lookup_elem(&lookups_outside_spans, &zero);
    if (outside)
        add(has_span ? &outside->no_room : &outside->no_span, 1);
    return 0;
}

/* Counts a lookup, already counted in its aggregate, for the span that is current on its goroutine; 0: it has
 * none. */
__noinline int count_for_span(const struct lookup *l, __u64 goroutine, __u32 table) {
    __u64 handle = goroutine ? current_span(goroutine) : 0;
    if (!l || !handle)
        return count_outside_spans(0);
    struct span_cost *cost = find_span_cost(&handle, table);
    if (!cost) {
        add_span_cost(handle, table);
        cost = find_span_cost(&handle, table);
    }
    if (!cost)
        return count_outside_spans(1);
    add(&cost->lookups, 1);
    add(&cost->hits, l->hit);
    add(&cost->probes, l->probe_length);
    add(&cost->key_comparisons, l->comparisons);
    add(&cost->parts_compared, (__u64)l->comparisons * (l->info.equal_count ? l->info.equal_count : 1));
    return 0;
}
