/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Goroutines: where the runtime keeps what is read of them (src/runtime/runtime2.go).
 */
#ifndef MAPSCOPE_SHARED_GOROUTINE_H
#define MAPSCOPE_SHARED_GOROUTINE_H

#include <linux/types.h>

enum label_limits {
    MAX_LABEL_NAMES = 8,
    LABEL_NAME_WORDS = 2,
};

enum labels_format {
    LABELS_NONE = 0,
    LABELS_MAP = 1,   /* up to 1.23: a map[string]string */
    LABELS_SLICE = 2, /* from 1.24: a slice of pairs of strings, sorted by name */
};

/* A pprof label that names the trace or the span. */
struct label_name {
    __u64 text[LABEL_NAME_WORDS]; /* zero-padded */
    __u32 length;
    __u32 is_span; /* of the span's id, else of the trace's */
};

struct goroutine_layout {
    __u32 goid;
    __u32 parent_goid; /* 0: before 1.21 there is none */
    __u32 labels;
    __u32 machine; /* g.m */
    __u32 current; /* m.curg */
    __u32 labels_format;
    __u32 with_exemplars; /* candidates for exemplars are wanted */
    __u32 without_trace;  /* also of goroutines that have no trace id */
    __u32 label_names;
    __u32 with_spans;          /* spans are followed (trace.bpf.c), the map span_contexts is filled */
    __u32 with_thread_context; /* another tool's map traces_ctx_v1 is there */
    __u32 with_costs;          /* what each goroutine's lookups cost is wanted */
    __u32 with_span_costs;     /* what each span's lookups cost is wanted; spans are followed */
    __u32 pad;
    struct label_name names[MAX_LABEL_NAMES];
};

#endif
