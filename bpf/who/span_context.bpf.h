/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which span is current on a goroutine. The trace program writes these maps, the lookup program reads them.
 *
 * A goroutine's spans form a stack: each span knows the one that was current when it began. A span may end on
 * another goroutine, or out of order, so an ended span stays for a while, marked, and whoever meets it goes
 * on to the next outer one. Goroutines begin with the span that is current on their creator. When that has
 * ended, and those around it, the goroutine has no span: one that serves many requests stays in none of their
 * spans.
 *
 * Both maps forget what was not used for long when they are full (LRU). A lookup then has no span; it never
 * has a wrong one: an entry that the kernel reuses while it is read is recognized by its
 * key, which the value repeats.
 */
#pragma once

#include "who/goroutine.bpf.h"
#include "shared/trace.h"

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 1);
    __type(key, __u64); /* handle */
    __type(value, struct span_context);
} span_contexts SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 1);
    __type(key, __u64); /* goroutine id */
    __type(value, struct goroutine_span);
} goroutine_spans SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct trace_control);
} trace_controls SEC(".maps");

/* Ended spans, one around the other, that are passed over. */
#define MAX_ENDED_SPANS 8

/* Number of the attach that spans are written under; 0 while not all probes are registered: then no span is
 * known to be current, and those that begin then never will be. */
static __always_inline __u32 trace_generation(void) {
    __u32 zero = 0;
    struct trace_control *control = bpf_map_lookup_elem(&trace_controls, &zero);
    return control ? control->generation : 0;
}

/* The entry of a goroutine, or NULL. */
static __always_inline struct goroutine_span *find_goroutine(__u64 *goroutine) {
    struct goroutine_span *entry = bpf_map_lookup_elem(&goroutine_spans, goroutine);
    return entry && entry->goroutine == *goroutine ? entry : NULL;
}

/*
 * Handle of the innermost span that has not ended: of the one given and those around it. 0 when there is
 * none.
 */
__noinline __u64 innermost_live(__u64 handle) {
    __u32 generation = trace_generation();
    for (int i = 0; i < MAX_ENDED_SPANS && handle && generation; i++) {
        struct span_context *span = bpf_map_lookup_elem(&span_contexts, &handle);
        if (!span)
            return 0;
        __u64 outer = span->outer;
        __u32 usable = span->generation == generation, ended = span->ended;
        if (span->handle != handle || !usable)
            return 0;
        if (!ended)
            return handle;
        handle = outer;
    }
    return 0;
}

/* Handle of the span that is current on a goroutine; 0 when none is. */
static __always_inline __u64 current_span(__u64 goroutine) {
    struct goroutine_span *entry = find_goroutine(&goroutine);
    return entry ? innermost_live(entry->current) : 0;
}
