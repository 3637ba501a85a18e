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

/*
 * Of a sketch over map addresses (HyperLogLog): registers of a few bits, sixteen in each word. The first bits
 * of an address's hash say which register; that holds the highest rank that was seen: the number of zero bits
 * that follow in the hash, plus one.
 */
enum map_sketch {
    MAP_REGISTERS_LOG2 = 9,
    MAP_REGISTER_BITS = 4,
    MAP_REGISTER_MOST = 15, /* a rank that high, or higher */
    MAP_SKETCH_WORDS = 32,
};

/* Sums of ratios: exact for wholes up to that power of two, and years until they overflow. */
enum ratio_unit { RATIO_UNIT_LOG2 = 20 };

/* What is of the cycle that ends is read while lookups are counted in the next one. */
enum state_cycles { LARGEST_CYCLES = 2 };

/*
 * The name of what there is no room for under its own: it has no type, and this for its call site, which no
 * return address can be.
 */
enum other_lookups { OTHER_CALLERS = 1 };

/* What user space writes to a place whose name it gives up: no owner has such a tag. */
enum given_up { GIVEN_UP = 0xffffffffffffffffULL };

/* Of the ring of aggregates that were taken back: how many were put there, and taken from there. */
enum free_ends { FREE_PUT = 0, FREE_TAKEN = 1, FREE_ENDS };

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
    __u64 key_comparisons[COUNT_BUCKETS];
    __u64 key_comparisons_sum;
    __u32 probe_length_max;
    __u32 key_comparisons_max;
    __u64 home_position[RATIO_BUCKETS];
    __u64 home_position_sum; /* in units of 2^-RATIO_UNIT_LOG2 */
    __u64 load_factor[RATIO_BUCKETS];
    __u64 load_factor_sum; /* in units of 2^-RATIO_UNIT_LOG2 */
    __u64 growing;
    __u64 inexact[INEXACT_COUNT]; /* by reason */
    /*
     * The cycle (window_control.cycle) of the last lookup. User space reads it before `largest`: when it says
     * the next cycle already, what is there of the one before is complete.
     */
    __u32 cycle;
    __u32 state_busy; /* of shared ones: somebody writes the states of maps */
    /* Of the largest map of even and of odd cycles; of several lookups in such, of the latest. */
    struct map_state largest[LARGEST_CYCLES];
    struct map_state latest; /* of the map that was looked into last */
    __u64 map_registers[MAP_SKETCH_WORDS];
    /* Buckets that have a candidate in this cycle: a bit each. */
    __u32 probe_lengths_taken;
    __u32 key_comparisons_taken;
};

/* Value of `aggregates`: a whole number of cache lines. */
struct aggregate {
    struct lookup_key name;
    struct lookup_stats stats;
};

#endif
