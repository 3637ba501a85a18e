/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * What is counted of lookups: by call site, map type, lookup function and result.
 */
#ifndef MAPSCOPE_SHARED_STATS_H
#define MAPSCOPE_SHARED_STATS_H

#include <linux/types.h>

#include "bounds.h"
#include "outcome.h"

/*
 * What one aggregate is of. Two words, because the key is hashed and compared at every lookup: addresses in
 * user space have 47 bits, so that the upper bits of the caller's word hold the index of the lookup function
 * (from bit 56) and whether the key was found (bit 55).
 */
struct lookup_key {
    __u64 caller; /* return address of the first frame that is not a wrapper */
    __u64 type;   /* address of the map type; absolute, with bit 63 set, when it was made at run time */
};

enum lookup_key_bits {
    CALLER_FUNCTION_SHIFT = 56,
    CALLER_HIT_SHIFT = 55,
};

/* Of a linear-counting sketch over map addresses. */
enum map_sketch { MAP_SKETCH_WORDS = 8 };

/* Sums of ratios: exact for wholes up to that power of two, and years until they overflow. */
enum ratio_unit { RATIO_UNIT_LOG2 = 20 };

/* A map at the time of a lookup. */
struct map_state {
    __u64 seen_at; /* in the kernel's jiffies */
    __u64 entries;
    __u32 overflow;    /* classic */
    __u16 tombstones;  /* Swiss, of the table visited */
    __u8 log2_buckets; /* buckets, or groups of the table visited */
    __u8 directory;    /* Swiss: log2 of its tables' places plus one; 0: a map of one group */
};

/*
 * Counts and distributions; everything counts up from attach and is never reset. The number of lookups is the
 * sum of any distribution's buckets. Sums of counts hold only values above DIRECT_BUCKETS: a bucket up to
 * that holds one value.
 */
struct lookup_stats {
    __u64 probe_length[COUNT_BUCKETS];
    __u64 probe_length_sum;
    __u64 probe_length_max;
    __u64 key_comparisons[COUNT_BUCKETS];
    __u64 key_comparisons_sum;
    __u64 key_comparisons_max;
    __u64 home_position[RATIO_BUCKETS];
    __u64 home_position_sum; /* in units of 2^-RATIO_UNIT_LOG2 */
    __u64 load_factor[RATIO_BUCKETS];
    __u64 load_factor_sum; /* in units of 2^-RATIO_UNIT_LOG2 */
    __u64 growing;
    __u64 inexact[INEXACT_COUNT];      /* by reason */
    struct map_state largest;          /* of the largest map; of several lookups in such, of the latest */
    struct map_state latest;           /* of the map that was looked into last */
    __u64 maps_seen[MAP_SKETCH_WORDS]; /* linear-counting sketch over map addresses, 512 cells */
    /* Buckets that have a candidate in this cycle: a bit each. */
    __u64 exemplar_cycle;
    __u32 probe_lengths_taken;
    __u32 key_comparisons_taken;
    __u64 state_busy; /* of shared ones: somebody writes the states of maps */
};

/* Value of `aggregates`: a whole number of cache lines. */
struct aggregate {
    struct lookup_key name;
    struct lookup_stats stats;
    __u64 pad[1];
};

#endif
