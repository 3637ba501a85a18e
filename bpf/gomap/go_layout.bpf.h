/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The structures of Go's runtime that are read as they are, in all versions the same as far as they are read
 * here. test/gobinary/decoder-layouts.test.ts compares them with the tables in src/gobinary.
 */
#pragma once

#include "lib/common.bpf.h"

/* maps.Map, src/internal/runtime/maps/map.go. From 1.25 a bool tombstonePossible sits in the padding after
 * `writing`. */
struct swiss_map {
    __u64 used;
    __u64 seed;
    __u64 directory; /* address of the directory, or of the only group when directory_length is 0 */
    __u64 directory_length;
    __u8 global_depth;
    __u8 global_shift;
    __u8 writing;
    __u8 pad[5];
};

/* maps.table */
struct swiss_table {
    __u16 used;
    __u16 capacity;
    __u16 growth_left;
    __u8 local_depth;
    __u8 pad;
    __u64 index;
    __u64 groups;
    __u64 length_mask;
};

/* runtime.hmap, src/runtime/map.go, as far as a lookup reads it. */
struct classic_map {
    __u64 count;
    __u8 flags;
    __u8 log2_buckets;
    __u16 overflow_count;
    __u32 seed;
    __u64 buckets;
    __u64 old_buckets; /* not 0 while the map grows */
};

/* tophash values below this one are states of a slot that is empty or has moved (map.go, minTopHash). */
#define MIN_TOP_HASH 5

/* A string's header, and the two words of an interface value. */
struct go_string {
    __u64 data;
    __u64 length;
};
struct go_interface {
    __u64 type;
    __u64 data;
};
