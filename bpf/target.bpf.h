/*
 * What user space sets before the program is loaded. The verifier knows these values: branches on them cost
 * nothing.
 */
#pragma once

#include "common.bpf.h"

const volatile struct probe_site probe_sites[MAX_PROBE_SITES];
const volatile struct target_layout layout;
const volatile __u64 wrapper_filter[WRAPPER_FILTER_WORDS];
/* AES round table (SubBytes, ShiftRows and MixColumns of one byte), for Go's string hash. */
const volatile __u32 aes_table[256];

/* One hit's facts, gathered step by step. Addresses are those of the running process. */
struct lookup {
    __u64 type;
    __u64 map;
    __u64 key;        /* by value, or the address of the key or of the string's bytes */
    __u64 key_length; /* of a string */
    __u64 hash;
    __u64 bias; /* run-time address minus link-time address */

    struct map_type_info info;

    __u64 hit_group; /* the group or bucket that holds the key, and which slot */
    __u32 hit_slot;

    __u64 home;         /* home bucket or group */
    __u64 entries;      /* of the whole map */
    __u64 used;         /* entries among the slots */
    __u32 log2_buckets; /* buckets of the map, or groups of the table visited: always a power of two */
    __u32 log2_slots;
    __u32 probe_length;
    __u32 comparisons;
    __u32 overflow;
    __u32 tombstones;
    __u8 key_class;
    __u8 has_hash;
    __u8 hit;
    __u8 growing;
    __u8 inexact; /* enum inexact_reason */
};

/* The key was found. */
inline_always void found(struct lookup *l, __u64 group, __u32 slot) {
    l->hit = 1;
    l->hit_group = group;
    l->hit_slot = slot;
}

/* Why a hit yields no lookup: a counter to raise. 0 (COUNTER_HITS) stands for success. */
typedef __u32 outcome;
#define DECODED 0
