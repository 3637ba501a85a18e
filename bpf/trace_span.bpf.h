/*
 * What happens to the maps of spancontext.bpf.h when a span begins or ends and when a goroutine begins.
 */
#pragma once

#include "trace_work.bpf.h"

/* Starting values of entries, which are then filled in place. */
const struct span_context no_span = {};
const struct goroutine_span no_goroutine_span = {};

/* The SDK's ids are random numbers; both together are one's handle also where spans are numbered otherwise.
 */
inline_always __u64 handle_of(const struct span_ids *ids) {
    __u64 mixed = (ids->trace[0] ^ ids->trace[1]) * 0x9e3779b97f4a7c15ULL ^ ids->span;
    return mixed ? mixed : 1;
}

/* The id of the goroutine that a thread works for, from its g; 0 when it works for none. */
separate __u64 goroutine_id(__u64 g) {
    __u64 id = 0;
    g = user_goroutine(g);
    if (!g || read_user(&id, sizeof(id), g + goroutines.goid))
        return 0;
    return id;
}

/* The entry of a goroutine, made if there is none; NULL when there is no room. */
called struct goroutine_span *goroutine_entry(__u64 goroutine) {
    struct goroutine_span *entry = find_goroutine(&goroutine);
    if (entry)
        return entry;
    bpf_map_update_elem(&goroutine_spans, &goroutine, &no_goroutine_span, BPF_ANY);
    entry = bpf_map_lookup_elem(&goroutine_spans, &goroutine);
    if (entry)
        entry->goroutine = goroutine;
    else
        COUNT(dropped);
    return entry;
}

/* A probe at a function's entry may be hit again when the goroutine's stack had to grow first. */
separate int has_begun(__u64 handle) {
    struct span_context *span = bpf_map_lookup_elem(&span_contexts, &handle);
    return span && span->handle == handle && span->generation == trace_generation();
}

separate int is_same_trace(const struct trace_hit *hit, __u64 handle) {
    struct span_context *other = bpf_map_lookup_elem(&span_contexts, &handle);
    return hit && other && __builtin_memcmp(other->trace_id, hit->ids.trace, TRACE_ID_BYTES) == 0;
}

/*
 * Handle of a new span's outer one. A goroutine that was begun in one trace and now works for another is one
 * of a pool: between its jobs it works for nobody.
 */
inline_always __u64 outer_span(const struct trace_hit *hit, const struct goroutine_span *entry) {
    __u64 outer = innermost_live(entry->current);
    return outer && entry->inherited && !is_same_trace(hit, outer) ? 0 : outer;
}

/* Writes the span of the hit under a handle; its handle last, for until then it is not one. */
separate int write_span(const struct trace_hit *hit, __u64 handle, __u64 outer) {
    bpf_map_update_elem(&span_contexts, &handle, &no_span, BPF_ANY);
    struct span_context *span = bpf_map_lookup_elem(&span_contexts, &handle);
    if (!hit || !span) {
        COUNT(dropped);
        return 1;
    }
    span->outer = outer;
    span->goroutine = hit->goroutine;
    span->generation = trace_generation();
    span->sampled = hit->ids.flags & 1 ? SAMPLED_YES : SAMPLED_NO;
    __builtin_memcpy(span->trace_id, hit->ids.trace, TRACE_ID_BYTES);
    __builtin_memcpy(span->span_id, &hit->ids.span, SPAN_ID_BYTES);
    barrier();
    span->handle = handle;
    return 0;
}

/* Makes the span of the hit current on the hit's goroutine; 0 on success. */
separate int begin_span(const struct trace_hit *hit, __u64 handle) {
    if (!hit || has_begun(handle))
        return 0;
    struct goroutine_span *entry = goroutine_entry(hit->goroutine);
    if (!entry || write_span(hit, handle, outer_span(hit, entry)))
        return 1;
    entry->inherited = 0;
    entry->current = handle;
    return 0;
}

/* Takes an ended span, and those begun within it on the same goroutine, off that goroutine. */
separate int pop_span(__u64 handle, __u64 goroutine, __u64 outer) {
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

separate int end_span(__u64 handle) {
    struct span_context *span = bpf_map_lookup_elem(&span_contexts, &handle);
    if (!span || span->handle != handle)
        return COUNT(unknown_spans);
    span->ended = 1;
    return pop_span(handle, span->goroutine, span->outer);
}

/* Reads the ids of the SDK's recordingSpan; they do not change after it was made. */
separate int read_ids(struct trace_hit *hit, __u64 recording_span) {
    __u64 trace[2], span;
    __u8 flags;
    if (!hit || read_user(trace, sizeof(trace), recording_span + trace_layout.trace_id) ||
        read_user(&span, sizeof(span), recording_span + trace_layout.span_id) ||
        read_user(&flags, sizeof(flags), recording_span + trace_layout.trace_flags)) {
        COUNT(unreadable);
        return 1;
    }
    hit->ids.trace[0] = trace[0];
    hit->ids.trace[1] = trace[1];
    hit->ids.span = span;
    hit->ids.flags = flags;
    return 0;
}

/* The SDK has made a recording span, on the goroutine for which it is current now. */
inline_always void span_started(struct trace_hit *hit, __u64 recording_span, __u64 g) {
    hit->goroutine = goroutine_id(g);
    if (!hit->goroutine)
        COUNT(unreadable);
    else if (!read_ids(hit, recording_span))
        begin_span(hit, handle_of(&hit->ids));
}

inline_always void span_ended(struct trace_hit *hit, __u64 recording_span) {
    if (!read_ids(hit, recording_span))
        end_span(handle_of(&hit->ids));
}

/* A go statement has made the goroutine `made`; the thread is on a system stack. */
separate int goroutine_started(__u64 made, __u64 g) {
    __u64 creator, id;
    if (goroutines.parent_goid) {
        if (read_user(&creator, sizeof(creator), made + goroutines.parent_goid))
            return COUNT(unreadable);
    } else {
        creator = goroutine_id(g);
    }
    __u64 handle = current_span(creator);
    if (!handle)
        return 0;
    if (read_user(&id, sizeof(id), made + goroutines.goid))
        return COUNT(unreadable);
    struct goroutine_span *entry = goroutine_entry(id);
    if (!entry)
        return 0;
    entry->inherited = 1;
    entry->current = handle;
    return 0;
}
