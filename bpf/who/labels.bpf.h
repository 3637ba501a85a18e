/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A goroutine's pprof labels, among which tracing libraries put the ids of the trace and the span:
 * OpenTelemetry's profiling conventions, otelpyroscope, dd-trace-go. Children inherit them from their
 * creator. No trap is needed for them.
 */
#pragma once

#include "gomap/go_layout.bpf.h"
#include "gomap/hit.bpf.h"
#include "gomap/target.bpf.h"
#include "lib/memory.bpf.h"
#include "shared/goroutine.h"
#include "shared/trace_id.h"

#define MAX_LABELS 16
#define MAX_LABEL_BUCKETS 4

/* Two Go strings: an element of the slice of labels (src/runtime/pprof/label.go, from 1.24). */
struct label {
    __u64 name;
    __u64 name_length;
    __u64 value;
    __u64 value_length;
};

/* Whether a label's name is the n-th that is looked for. */
__noinline int is_label_named(__u64 name, __u64 length, __u32 n) {
    __u64 text[LABEL_NAME_WORDS] = {};
    const volatile struct label_name *wanted = &goroutines.names[within(n, MAX_LABEL_NAMES)];
    if (length != wanted->length || length > sizeof(text) ||
        read_user(text, within(length, sizeof(text) + 1), name))
        return 0;
    return text[0] == wanted->text[0] && text[1] == wanted->text[1];
}

/* Takes a label's value if it is an id of the expected length. */
__noinline int take_value(struct lookup *l, __u64 value, __u64 length, __u32 is_span) {
    if (!l)
        return 0;
    if (is_span) {
        if (length == SPAN_ID_TEXT && !read_user(l->exemplar.span_id, SPAN_ID_TEXT, value))
            l->exemplar.span_form = ID_TEXT;
    } else if (length == TRACE_ID_TEXT && !read_user(l->exemplar.trace_id, TRACE_ID_TEXT, value)) {
        l->exemplar.trace_form = ID_TEXT;
    }
    return 0;
}

__noinline int take_label(struct lookup *l, __u64 name_at, __u64 value_at) {
    __u64 name[2], value[2];
    if (!l || read_user(name, sizeof(name), name_at) || read_user(value, sizeof(value), value_at))
        return 0;
    for (__u32 n = 0; n < MAX_LABEL_NAMES && n < goroutines.label_names; n++)
        if (is_label_named(name[0], name[1], n))
            return take_value(l, value[0], value[1], goroutines.names[n].is_span);
    return 0;
}

/* From 1.24: g.labels points to a struct that begins with a slice of labels. */
__noinline int take_from_slice(struct lookup *l, __u64 labels) {
    __u64 slice[2];
    if (read_user(slice, sizeof(slice), labels))
        return 0;
    for (__u32 i = 0; i < MAX_LABELS && i < slice[1]; i++) {
        __u64 at = slice[0] + i * sizeof(struct label);
        take_label(l, at, at + offsetof(struct label, value));
    }
    return 0;
}

/* A bucket of a map[string]string: eight tophashes, eight names, eight values, the overflow pointer. */
#define LABEL_BUCKET_SIZE (8 + 8 * 16 + 8 * 16 + 8)

__noinline int take_from_bucket(struct lookup *l, __u64 bucket) {
    __u64 tops;
    if (read_user(&tops, sizeof(tops), bucket))
        return 0;
    for (__u32 i = 0; i < 8; i++)
        if ((tops >> (8 * i) & 0xff) >= MIN_TOP_HASH)
            take_label(l, bucket + 8 + 16 * i, bucket + 8 + 8 * 16 + 16 * i);
    return 0;
}

/* Up to 1.23: g.labels points to a map. Labels are few, so that it neither grows nor has overflow buckets. */
__noinline int take_from_map(struct lookup *l, __u64 labels) {
    struct classic_map map;
    __u64 address;
    if (read_user(&address, sizeof(address), labels) || read_user(&map, sizeof(map), address) || !map.count)
        return 0;
    for (__u32 i = 0; i < MAX_LABEL_BUCKETS && i < 1U << (map.log2_buckets & 31); i++)
        take_from_bucket(l, map.buckets + i * LABEL_BUCKET_SIZE);
    return 0;
}

/* Sets the ids of l->exemplar from the labels of a goroutine. */
static __always_inline int take_labels(struct lookup *l, __u64 g) {
    __u64 labels;
    if (goroutines.labels_format == LABELS_NONE)
        return 0;
    if (read_user(&labels, sizeof(labels), g + goroutines.labels) || !labels)
        return 0;
    return goroutines.labels_format == LABELS_SLICE ? take_from_slice(l, labels) : take_from_map(l, labels);
}
