/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * What the lookups of single goroutines and spans cost.
 */
#ifndef MAPSCOPE_SHARED_COST_H
#define MAPSCOPE_SHARED_COST_H

#include <linux/types.h>

#include "bounds.h"
#include "trace_id.h"

/* What the lookups of one goroutine cost, since its table was last emptied. Sums as in struct lookup_stats.
 */
struct goroutine_cost {
    __u64 goroutine;
    __u64 parent; /* the goroutine that started it; 0: not known */
    __u64 hits;
    __u64 probe_length_sum;
    __u64 key_comparisons_sum;
    __u32 probe_length_max;
    __u32 key_comparisons_max;
    __u32 probe_length[COUNT_BUCKETS];
    __u32 key_comparisons[COUNT_BUCKETS];
};

/* Where a goroutine's entry is: a place of the hash table `goroutine_places_*` (counts/goroutine_cost.bpf.h).
 */
struct goroutine_place {
    __u64 goroutine;
    __u32 cycle; /* window_control.cost_cycle when it was taken */
    __u32 entry; /* number in `goroutine_costs_*` plus one; 0: there was no room for one */
};

/*
 * What the lookups made in one span cost, since its table was last emptied; key of the maps `span_costs_*` is
 * the span's handle. Sums are complete here.
 */
struct span_cost {
    __u8 trace_id[TRACE_ID_BYTES];
    __u8 span_id[SPAN_ID_BYTES];
    __u64 goroutine; /* on which the span began */
    __u64 lookups;
    __u64 hits;
    __u64 probes;
    __u64 key_comparisons;
    __u64 parts_compared; /* a key comparison goes part by part: 1 for a number or string, 8 for eight of them
                           */
    __u32 sampled;        /* enum sampled */
    __u32 pad;
};

/* Lookups that are counted for no span; never reset; value of the per-CPU array `lookups_outside_spans`. */
struct outside_spans {
    __u64 no_span; /* of goroutines that are in no span that is known */
    __u64 no_room; /* the table was full */
};

/* Why a lookup is not counted for a goroutine; index of the per-CPU array `unattributed_costs`. */
enum unattributed {
    UNATTRIBUTED_NO_ROOM = 0,      /* more goroutines since the table was last emptied than it has entries */
    UNATTRIBUTED_NO_GOROUTINE = 1, /* the runtime's own, on a thread that has no goroutine */
    UNATTRIBUTED_COUNT,
};

/* What such lookups cost; never reset. */
struct unattributed_cost {
    __u64 hits;
    __u64 probe_length[COUNT_BUCKETS];
    __u64 probe_length_sum;
    __u64 key_comparisons[COUNT_BUCKETS];
    __u64 key_comparisons_sum;
    __u32 probe_length_max;
    __u32 key_comparisons_max;
};

#endif
