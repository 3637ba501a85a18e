/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scratch and counters of the trace program.
 */
#pragma once

#include <asm-generic/errno-base.h>

#include "lib/scratch.bpf.h"
#include "shared/trace.h"
#include "who/span_context.bpf.h"

const volatile struct trace_layout trace_layout;

/*
 * A stream of grpc whose headers name a trace and that is not handled yet; key of the map grpc_streams. Both
 * numbers of a stream are used again, by a later connection whose transport has the address of one that is
 * gone. What was read under another attach is therefore another stream: its handling may have been missed,
 * and so may the headers of the one that has its numbers now.
 */
struct grpc_stream {
    __u64 transport;
    __u32 id;
    __u32 generation;
};

/* The ids of a span, in the order of their bytes, and its W3C trace flags. */
struct span_ids {
    __u64 trace[2];
    __u64 span;
    __u32 flags;
    __u32 pad;
};

/* Text of a header, and a block of memory of the target: one large read is much cheaper than many small ones.
 */
#define TEXT_BYTES 64

struct trace_hit {
    struct scratch scratch;
    __u64 goroutine;
    struct span_ids ids;
    struct grpc_stream stream;
    struct span_context span;      /* values for the maps, which take them whole */
    struct goroutine_span current; /* of a goroutine that has no entry yet */
    __u8 text[TEXT_BYTES];
    __u8 block[TRACE_BLOCK_BYTES];
} LINE_ALIGNED;

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __uint(map_flags, ALIGNED_ARRAY);
    __type(key, __u32);
    __type(value, struct trace_hit);
} trace_scratch SEC(".maps");

/* The hit, where what it holds is a key or a value of a map; NULL never but to the verifier. */
static __always_inline struct trace_hit *hit_from_map(const struct trace_hit *hit) {
    return scratch_from_map(&trace_scratch, &hit->scratch);
}

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct trace_counts);
} trace_counters SEC(".maps");

static __always_inline struct trace_counts *trace_counts(void) {
    __u32 zero = 0;
    return bpf_map_lookup_elem(&trace_counters, &zero);
}

/* Raises a counter of this CPU. A macro, for a name of a field is no argument of a function. */
#define COUNT(counter)                                                                                       \
    do {                                                                                                     \
        struct trace_counts *counts = trace_counts();                                                        \
        if (counts)                                                                                          \
            __sync_fetch_and_add(&counts->counter, 1);                                                       \
    } while (0)
