/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a lookup's trace is known from. The nearest to the code that made it wins: the goroutine's own pprof
 * labels, then the spans that are followed, then what another tool says of the thread.
 */
#pragma once

#include "who/labels.bpf.h"
#include "who/span_context.bpf.h"

/* OBI's map, when there is one: which span each thread works for. Only read here. */
struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, 16384);
    __type(key, __u64);
    __type(value, struct thread_context);
} traces_ctx_v1 SEC(".maps");

__noinline int take_followed_span(struct lookup *l) {
    if (!l)
        return 0;
    struct exemplar *e = &l->exemplar;
    __u64 handle = current_span(e->goroutine);
    struct span_context *span = handle ? bpf_map_lookup_elem(&span_contexts, &handle) : NULL;
    if (!span)
        return 0;
    __builtin_memcpy(e->trace_id, span->trace_id, TRACE_ID_BYTES);
    __builtin_memcpy(e->span_id, span->span_id, SPAN_ID_BYTES);
    __u32 sampled = span->sampled;
    barrier();
    if (span->handle != handle) /* the kernel has reused the entry for another span */
        return 0;
    e->sampled = sampled;
    e->trace_form = e->span_form = ID_BINARY;
    return 0;
}

__noinline int take_thread_context(struct lookup *l) {
    __u64 thread = bpf_get_current_pid_tgid();
    struct thread_context *context = bpf_map_lookup_elem(&traces_ctx_v1, &thread);
    if (!l || !context)
        return 0;
    __builtin_memcpy(l->exemplar.trace_id, context->trace_id, TRACE_ID_BYTES);
    __builtin_memcpy(l->exemplar.span_id, context->span_id, SPAN_ID_BYTES);
    l->exemplar.trace_form = l->exemplar.span_form = ID_BINARY;
    return 0;
}

/* Sets the ids of l->exemplar, whose goroutine is set. */
static __always_inline void find_trace(struct lookup *l, __u64 g) {
    take_labels(l, g);
    if (goroutines.with_spans && !l->exemplar.trace_form)
        take_followed_span(l);
    if (goroutines.with_thread_context && !l->exemplar.trace_form)
        take_thread_context(l);
}
