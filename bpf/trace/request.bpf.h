/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests that a server handles on a goroutine. Their span is the caller's, which the header names: the
 * service itself need not know of traces at all.
 */
#pragma once

#include "trace/span.bpf.h"
#include "trace/traceparent.bpf.h"

/* Two callers may name the same span, so a request's handle is a number of its own. */
static __always_inline __u64 new_handle(void) {
    __u64 handle = (__u64)bpf_get_prandom_u32() << 32 | bpf_get_prandom_u32();
    return handle ? handle : 1;
}

/* The goroutine's request is over. */
__noinline int end_request(__u64 goroutine) {
    struct goroutine_span *entry = find_goroutine(&goroutine);
    if (!entry || !entry->request)
        return 0;
    __u64 handle = entry->request;
    entry->request = 0;
    end_span(handle);
    return 0;
}

/*
 * Whether the goroutine is in a span of the SDK for this request already: some instrumentation begins it on
 * the goroutine that reads the connection. It is the inner one.
 */
__noinline int has_own_span(const struct trace_hit *hit) {
    if (!hit)
        return 0;
    __u64 goroutine = hit->goroutine;
    __u64 handle = current_span(goroutine);
    struct span_context *span = handle ? bpf_map_lookup_elem(&span_contexts, &handle) : NULL;
    return span && !span->is_request && is_same_trace(hit, handle);
}

/* The hit's goroutine works for the caller's span of the hit from now on. It has one request at a time. */
__noinline int begin_request(struct trace_hit *hit) {
    __u64 handle = new_handle();
    if (!hit)
        return 0;
    if (has_own_span(hit)) {
        COUNT(spanned);
        return 0;
    }
    if (begin_span(hit, handle, 1))
        return 0;
    __u64 goroutine = hit->goroutine;
    struct goroutine_span *entry = find_goroutine(&goroutine);
    if (entry && entry->current == handle)
        entry->request = handle;
    return 0;
}

/* A request that names no caller does not work for that of the goroutine that read it. */
__noinline int without_caller(__u64 goroutine) {
    struct goroutine_span *entry = find_goroutine(&goroutine);
    if (!entry || !entry->inherited)
        return 0;
    __u64 handle = entry->current;
    struct span_context *span = bpf_map_lookup_elem(&span_contexts, &handle);
    if (span && span->is_request)
        entry->current = 0;
    return 0;
}

/* Sets the hit's goroutine, whose last request is over now in any case; 0 on success. */
__noinline int begin_handling(struct trace_hit *hit, __u64 g) {
    if (!hit)
        return 1;
    hit->goroutine = goroutine_id(g);
    if (!hit->goroutine) {
        COUNT(unreadable);
        return 1;
    }
    end_request(hit->goroutine);
    return 0;
}

static __always_inline void request_done(__u64 g) { end_request(goroutine_id(g)); }
