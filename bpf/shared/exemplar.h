/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Candidates for exemplars: single lookups, with their goroutine and trace.
 */
#ifndef MAPSCOPE_SHARED_EXEMPLAR_H
#define MAPSCOPE_SHARED_EXEMPLAR_H

#include <linux/types.h>

#include "stats.h"
#include "trace_id.h"

/* Which bucket of which aggregate a candidate for an exemplar is of. */
struct exemplar_key {
    struct lookup_key name;
    __u32 bucket; /* of the probe length; from COUNT_BUCKETS on, of the key comparisons */
    __u32 shard;  /* of the CPU: each has the last candidate of its CPUs */
};

enum exemplar_limits {
    EXEMPLAR_SHARDS = 4,
};

/* One lookup that may become an exemplar. Binary ids stand in the first bytes of their fields. */
struct exemplar {
    __u64 cycle;
    __u64 time; /* CLOCK_BOOTTIME, ns */
    __u64 goroutine;
    __u64 parent_goroutine;
    __u32 probe_length;
    __u32 key_comparisons;
    __u32 trace_form; /* enum id_form */
    __u32 span_form;
    __u32 sampled; /* enum sampled */
    __u32 pad;
    __u8 trace_id[TRACE_ID_TEXT];
    __u8 span_id[SPAN_ID_TEXT];
};

#endif
