/*
 * What user space sets before the program is loaded. The verifier knows these values: branches on them cost
 * nothing.
 */
#pragma once

#include "common.bpf.h"

const volatile struct probe_site probe_sites[MAX_PROBE_SITES];
const volatile struct target_layout layout;
const volatile struct goroutine_layout goroutines;
/* AES round table (SubBytes, ShiftRows and MixColumns of one byte), for Go's string hash. */
const volatile __u32 aes_table[256];

/*
 * The words from the return address up: return address, then the homes of the first four register arguments,
 * where Go's ABIInternal lets a function spill them (cmd/compile/abi-internal.md). One read serves most of
 * what a site needs.
 */
#define ENTRY_WORDS 5

/*
 * Where lookups come through wrappers, as they mostly do from Go 1.27 on, two words more are read: they hold
 * the return address of a wrapper that has a frame of up to 40 bytes.
 */
#define WIDE_ENTRY_WORDS 7

const volatile __u32 entry_is_wide;

/* The words that have been read at a hit. */
inline_always __u32 entry_words_read(void) { return entry_is_wide ? WIDE_ENTRY_WORDS : ENTRY_WORDS; }

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

/* The probe sequence through the groups of a Swiss table. */
struct group_sequence {
    __u64 groups;
    __u64 mask;
    __u64 offset;
    __u32 step;
    __u32 failure;
    __u32 ended;
};

/* A chain of classic buckets. */
struct bucket_chain {
    __u64 bucket;
    __u32 top;
    __u32 failure;
    __u32 ended;
};

/* A list of steps over two values, see key.bpf.h. */
struct steps {
    __u64 left;
    __u64 right;
    __u32 next; /* index into equal_steps */
    __u32 end;
};

/* Interfaces within interfaces' values that are followed. */
#define MAX_NESTING 2

struct steps_comparison {
    struct steps now;
    struct steps outer[MAX_NESTING]; /* to go on with after an interface's value */
    __u32 result;
    __u32 nesting; /* how many interfaces' values this is inside of */
};

struct aes_block {
    __u32 column[4];
};

/* One lane of the hash of a string, see string_hash.bpf.h. */
struct string_hash {
    __u64 next; /* where the lane's next block of a long string is */
    struct aes_block block;
    struct aes_block key;
    struct aes_block before; /* a round */
    struct aes_block sum;
    __u32 failed;
};

/*
 * What a hit copies of groups and keys, so that one read serves for several looks. A group or bucket is
 * copied from its start to the end of its keys, or of the bucket, where that is not more than GROUP_COPY
 * bytes: eight slots of four words each. Another word at the end, because loads may run over.
 */
struct copies {
    __u64 group[GROUP_COPY / 8];
    __u64 slot_key[KEY_COPY / 8]; /* of a slot that is not in the group's copy */
    __u64 key[KEY_COPY / 8];      /* that is looked up, of a type with an equality of its own */
    __u64 end;
};

/* The strings, or other long memory, that are being compared: a piece of each. */
#define PIECE 64

struct pieces {
    __u64 left[PIECE / 8];
    __u64 right[PIECE / 8];
    __u64 left_at; /* where the bytes in `left` are in the target: they need not be read twice */
    __u32 left_size;
    __u32 result;
    __u64 left_next; /* what is still to be compared */
    __u64 right_next;
    __u64 remaining;
};

/*
 * One hit's facts, gathered step by step, and working memory. Addresses are those of the running process. It
 * lives in a slot of its CPU (work.bpf.h), since the stack has too little room. What is above `info` is set
 * for each hit.
 */
struct lookup {
    __u32 busy; /* the slot is taken; user space reads this word, which must stay the first */
    __u32 slot; /* its number */
    __u8 key_class;
    __u8 has_hash;
    __u8 hit;
    __u8 growing;
    __u8 map_is_storage; /* `map` is the address of the first group or bucket */
    __u8 function;       /* the lookup function's index */
    __u8 has_key;        /* `key` is in the copies */
    __u64 type;
    __u64 map;
    __u64 key;        /* by value, or the address of the key or of the string's bytes */
    __u64 key_length; /* of a string */
    __u64 hash;
    __u64 bias; /* run-time address minus link-time address */
    __u64 g;    /* the g of the thread, in r14 (cmd/compile/abi-internal.md) */

    __u64 hit_group; /* the group or bucket that holds the key, and which slot */
    __u32 hit_slot;

    __u32 inexact; /* enum inexact_reason */
    __u32 probe_length;
    __u32 comparisons;
    __u32 overflow;
    __u32 tombstones;
    __u32 log2_buckets; /* buckets of the map, or groups of the table visited: always a power of two */
    __u32 log2_slots;
    __u64 home;    /* home bucket or group */
    __u64 entries; /* of the whole map */
    __u64 used;    /* entries among the slots */

    struct map_type_info info;
    struct lookup_key name; /* of the aggregate */
    __u64 started;          /* when the hit began, if its time is taken */
    __u64 stack_word;       /* one that is not among the entry words */
    __u64 entry_at;         /* where the return address is */
    __u64 visited;          /* the group or bucket that is looked at */
    __u64 matches;          /* its slots that are still to be compared */
    __u32 copied;           /* bytes of it in copies.group */
    struct copies copies;
    struct pieces pieces;
    __u64 entry[WIDE_ENTRY_WORDS]; /* the words from the return address up */
    __u64 group;                   /* of a small Swiss map */
    __u64 seed;                    /* of a small Swiss map's hash */
    struct classic_map classic;
    struct group_sequence groups;
    struct bucket_chain chain;
    struct steps_comparison steps;
    struct string_hash string_hash;
    struct exemplar exemplar;
    struct exemplar_key exemplar_key;
};

/* The key was found in this slot of the group or bucket that is visited. */
inline_always void found(struct lookup *l, __u32 slot) {
    l->hit = 1;
    l->hit_group = l->visited;
    l->hit_slot = slot;
}

/* Why a hit yields no lookup: a counter to raise. 0 (COUNTER_HITS) stands for success. */
typedef __u32 outcome;
#define DECODED 0
