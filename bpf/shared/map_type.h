/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Map types: how the keys of one lie in memory, and how they compare.
 */
#ifndef MAPSCOPE_SHARED_MAP_TYPE_H
#define MAPSCOPE_SHARED_MAP_TYPE_H

#include <linux/types.h>

enum map_implementation { MAPS_CLASSIC = 0, MAPS_SWISS = 1 };

/* How a map type descriptor says where keys are (src/internal/abi/map*.go). */
enum map_type_format {
    FORMAT_CLASSIC =
        0, /* up to 1.23, and GOEXPERIMENT=noswissmap: KeySize u8 at 80, BucketSize u16 at 82, Flags at 84 */
    FORMAT_SLOTS = 1, /* 1.24-1.26: GroupSize at 80, SlotSize at 88, ElemOff at 96, Flags at 104 */
    FORMAT_STRIDES =
        2, /* 1.27: GroupSize at 80, KeysOff 88, KeyStride 96, ElemsOff 104, ElemStride 112, Flags 128 */
};

/* Facts of the Go version that the decoder needs and that are not per type. */
struct target_layout {
    __u32 implementation;  /* enum map_implementation */
    __u32 map_type_format; /* enum map_type_format */
    __u32 hash_known;      /* aes_schedule and aes_flag are set, and aes_table is filled */
    __u32 gated;           /* lookups are decoded only while window_gate says so */
    __u64 aes_schedule;    /* address of aeskeysched, the key schedule of Go's string hash */
    __u64 aes_flag; /* address of the byte that says whether the process hashes with AES instructions */
};

enum copy_sizes {
    /* Bytes of a group or bucket, and of a key, that a hit copies at most: eight slots of four words each, a
     * key of eight. */
    GROUP_COPY = 264,
    KEY_COPY = 64,
    COPIED_KEY_STEPS = 8, /* of a key that is compared by copies */
};

/* What the decoder must know of one map type. */
struct map_type_info {
    __u32 keys_offset; /* of key 0 within a group or bucket */
    __u32 key_stride;
    __u32 group_size;  /* bytes of a group or bucket */
    __u16 equal_first; /* index into the array `equal_steps` */
    __u16 equal_count;
    __u8 indirect_key;
    __u8 equality_known; /* 0: the key's equality cannot be decided, for the reason given */
    __u8 inexact_reason; /* enum inexact_reason */
    __u8 copied_key;     /* bytes of a key that its few steps look at; 0: they are compared in place */
    __u16 group_copy;    /* bytes of a group or bucket to read at once: at least the first word */
    __u16 pad;
};

/* A place of the table `map_types`. */
struct map_type_entry {
    __u64 address; /* of the type's descriptor */
    struct map_type_info info;
};

/* A map type made at run time by reflect; key of the map `runtime_types` is its run-time address. */
struct runtime_type_info {
    __u64 key_type; /* link-time addresses, of types that the linker wrote */
    __u64 elem_type;
};

/* One step of a key comparison: two keys are equal when every step says so. */
enum equal_kind {
    EQUAL_MEMORY = 0, /* size bytes */
    EQUAL_STRING = 1, /* a Go string header */
    EQUAL_FLOAT32 = 2,
    EQUAL_FLOAT64 = 3,
    EQUAL_EFACE = 4, /* interface{}: type word, data word */
    EQUAL_IFACE = 5, /* interface with methods: itab, data word */
};

struct equal_step {
    __u32 kind; /* enum equal_kind */
    __u32 offset;
    __u32 size;
    __u32 pad;
};

/* How two interface values of one dynamic type compare; key of the map `dynamic_types` is the type's address.
 */
struct dynamic_type_info {
    __u8 direct; /* the data word is the value itself, not a pointer to it */
    __u8 equality_known;
    __u8 pad[2];
    __u16 equal_first;
    __u16 equal_count;
};

#endif
