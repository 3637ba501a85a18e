/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens to the maps of who/span_context.bpf.h when a span begins or ends and when a goroutine begins.
 */
#pragma once

#include "shared/hash.h"
#include "trace/hit.bpf.h"

/* The SDK's ids are random numbers; both together are one's handle also where spans are numbered otherwise.
 */
static __always_inline __u64 handle_of(const struct span_ids *ids) {
    __u64 mixed = (ids->trace[0] ^ ids->trace[1]) * HASH_MULTIPLIER ^ ids->span;
    return mixed ? mixed : 1;
}

/* Sets what is current on a goroutine that has no entry yet; 0 on success. */
__noinline int add_goroutine(struct trace_hit *hit, __u64 goroutine, __u64 current, __u32 inherited) {
    if (!hit || !(hit = hit_from_map(hit)))
        return 1;
    hit->current.goroutine = goroutine;
    hit->current.current = current;
    hit->current.request = 0;
    hit->current.inherited = inherited;
    if (!bpf_map_update_elem(&goroutine_spans, &goroutine, &hit->current, BPF_ANY))
        return 0;
    COUNT(dropped);
    return 1;
}

__noinline int is_same_trace(const struct trace_hit *hit, __u64 handle) {
    struct span_context *other = bpf_map_lookup_elem(&span_contexts, &handle);
    return hit && other && __builtin_memcmp(other->trace_id, hit->ids.trace, TRACE_ID_BYTES) == 0;
}

/*
 * Handle of a new span's outer one. A goroutine that was begun in one trace and now works for another is one
 * of a pool: between its jobs it works for nobody.
 */
static __always_inline __u64 outer_span(const struct trace_hit *hit, const struct goroutine_span *entry) {
    __u64 outer = innermost_live(entry->current);
    return outer && entry->inherited && !is_same_trace(hit, outer) ? 0 : outer;
}

/*
 * Writes the span of the hit under a handle; 0 on success, not 0 also when it has begun already: a probe at a
 * function's entry may be hit again when the goroutine's stack had to grow first.
 */
__noinline int write_span(struct trace_hit *hit, __u64 handle, __u64 outer, __u32 is_request) {
    if (!hit || !(hit = hit_from_map(hit)))
        return 1;
    struct span_context *span = &hit->span;
    span->handle = handle;
    span->outer = outer;
    span->goroutine = hit->goroutine;
    span->generation = trace_generation();
    span->ended = 0;
    span->sampled = hit->ids.flags & 1 ? SAMPLED_YES : SAMPLED_NO;
    span->is_request = is_request;
    __builtin_memcpy(span->trace_id, hit->ids.trace, TRACE_ID_BYTES);
    __builtin_memcpy(span->span_id, &hit->ids.span, SPAN_ID_BYTES);
    long failure = bpf_map_update_elem(&span_contexts, &handle, span, BPF_NOEXIST);
    if (failure && failure != -EEXIST)
        COUNT(dropped);
    return failure != 0;
}

/* Makes the span of the hit current on the hit's goroutine; 0 on success. */
__noinline int begin_span(struct trace_hit *hit, __u64 handle, __u32 is_request) {
    if (!hit)
        return 1;
    __u64 goroutine = hit->goroutine;
    struct goroutine_span *entry = find_goroutine(&goroutine);
    __u64 outer = entry ? outer_span(hit, entry) : 0;
    if (write_span(hit, handle, outer, is_request))
        return 1;
    if (!entry)
        return add_goroutine(hit, goroutine, handle, 0);
    if (!is_request && entry->request && entry->request == entry->current)
        COUNT(spanned);
    entry->inherited = 0;
    entry->current = handle;
    return 0;
}

/* Takes an ended span, and those begun within it on the same goroutine, off that goroutine. */
__noinline int pop_span(__u64 handle, __u64 goroutine, __u64 outer) {
    struct goroutine_span *entry = find_goroutine(&goroutine);
    if (!entry)
        return 0;
    __u64 top = entry->current, at = top;
    for (int i = 0; i < MAX_ENDED_SPANS && at; i++) {
        if (at == handle) {
            /* The goroutine itself may be running and beginning another span: then that stays. */
            __sync_val_compare_and_swap(&entry->current, top, outer);
            return 0;
        }
        struct span_context *inner = bpf_map_lookup_elem(&span_contexts, &at);
        at = inner && inner->handle == at ? inner->outer : 0;
    }
    return 0;
}

__noinline int end_span(__u64 handle) {
    struct span_context *span = bpf_map_lookup_elem(&span_contexts, &handle);
    if (!span || span->handle != handle) {
        COUNT(unknown_spans);
        return 0;
    }
    span->ended = 1;
    return pop_span(handle, span->goroutine, span->outer);
}

/* Whether the SDK keeps ids and flags one after the other, as all known versions do: then one read is enough.
 */
#define IDS_ARE_TOGETHER                                                                                     \
    (trace_layout.span_id == trace_layout.trace_id + TRACE_ID_BYTES &&                                       \
     trace_layout.trace_flags == trace_layout.span_id + SPAN_ID_BYTES)

/* Reads the ids of the SDK's recordingSpan; they do not change after it was made. 0 on success. */
__noinline int read_ids(struct trace_hit *hit, __u64 recording_span) {
    __u64 words[4] = {};
    int failure;
    if (!hit)
        return 1;
    if (IDS_ARE_TOGETHER)
        failure = read_user(words, 3 * sizeof(__u64) + 1, recording_span + trace_layout.trace_id) != 0;
    else
        failure = read_user(words, TRACE_ID_BYTES, recording_span + trace_layout.trace_id) ||
                  read_user(&words[2], SPAN_ID_BYTES, recording_span + trace_layout.span_id) ||
                  read_user(&words[3], 1, recording_span + trace_layout.trace_flags);
    if (failure)
        COUNT(unreadable);
    hit->ids.trace[0] = words[0];
    hit->ids.trace[1] = words[1];
    hit->ids.span = words[2];
    hit->ids.flags = words[3];
    return failure;
}

/* The SDK has made a recording span, on the goroutine for which it is current now. */
static __always_inline void span_started(struct trace_hit *hit, __u64 recording_span, __u64 g) {
    hit->goroutine = goroutine_id(g);
    if (!hit->goroutine)
        COUNT(unreadable);
    else if (!read_ids(hit, recording_span))
        begin_span(hit, handle_of(&hit->ids), 0);
}

static __always_inline void span_ended(struct trace_hit *hit, __u64 recording_span) {
    if (!read_ids(hit, recording_span))
        end_span(handle_of(&hit->ids));
}

/* A go statement has made the goroutine `made`; the thread is on a system stack. */
static __always_inline void goroutine_started(struct trace_hit *hit, __u64 made, __u64 g) {
    __u64 creator = 0, id, handle;
    if (!goroutines.parent_goid)
        creator = goroutine_id(g);
    else if (read_user(&creator, sizeof(creator), made + goroutines.parent_goid))
        COUNT(unreadable);
    if (!creator || !(handle = current_span(creator)))
        return;
    if (read_user(&id, sizeof(id), made + goroutines.goid))
        COUNT(unreadable);
    else
        add_goroutine(hit, id, handle, 1);
}
