/*
 * Working memory and counters of the trace program. As in work.bpf.h each hit takes a slot of its CPU: the
 * program can be taken off the CPU in its middle, and stack frames must stay small.
 */
#pragma once

#include <asm-generic/errno-base.h>

#include "spancontext.bpf.h"

const volatile struct trace_layout trace_layout;

/* A stream of grpc whose headers name a trace and that is not handled yet; key of the map grpc_streams. */
struct grpc_stream {
    __u64 transport;
    __u64 id;
};

/* The ids of a span, in the order of their bytes, and its W3C trace flags. */
struct span_ids {
    __u64 trace[2];
    __u64 span;
    __u32 flags;
    __u32 pad;
};

/* Threads of the target that are in the middle of the program on one CPU at once. */
#define TRACE_SLOTS 16

/* Text of a header, and a block of memory of the target: one large read is much cheaper than many small ones.
 */
#define TEXT_BYTES 64

struct trace_hit {
    __u32 busy;
    __u32 pad;
    __u64 goroutine;
    struct span_ids ids;
    struct grpc_stream stream;
    struct span_context span;      /* values for the maps, which take them whole */
    struct goroutine_span current; /* of a goroutine that has no entry yet */
    __u8 text[TEXT_BYTES];
    __u8 block[TRACE_BLOCK_BYTES];
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, TRACE_SLOTS);
    __type(key, __u32);
    __type(value, struct trace_hit);
} trace_slots SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct trace_counts);
} trace_counters SEC(".maps");

inline_always struct trace_counts *trace_counts(void) {
    __u32 zero = 0;
    return bpf_map_lookup_elem(&trace_counters, &zero);
}

/* Raises a counter; 0, so that it can be returned. */
#define COUNT(counter)                                                                                       \
    ({                                                                                                       \
        struct trace_counts *counts = trace_counts();                                                        \
        if (counts)                                                                                          \
            __sync_fetch_and_add(&counts->counter, 1);                                                       \
        0;                                                                                                   \
    })

/* A slot of this CPU; NULL when all are taken. */
inline_always struct trace_hit *take_trace_slot(void) {
    for (__u32 i = 0; i < TRACE_SLOTS; i++) {
        struct trace_hit *hit = bpf_map_lookup_elem(&trace_slots, &i);
        if (!hit)
            break;
        if (!hit->busy && __sync_lock_test_and_set(&hit->busy, 1) == 0)
            return hit;
    }
    return NULL;
}

inline_always void return_trace_slot(struct trace_hit *hit) { __sync_lock_test_and_set(&hit->busy, 0); }
