/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The scratch of a hit that decodes a lookup: what is known of it so far, and the working memory of each
 * step.
 */
#pragma once

#include "gomap/go_layout.bpf.h"
#include "lib/scratch.bpf.h"
#include "shared/exemplar.h"
#include "shared/map_type.h"
#include "shared/site.h"
#include "shared/stats.h"

/*
 * Frame words: those from the return address up: return address, then the homes of the first four register
 * arguments, where Go's ABIInternal lets a function spill them (cmd/compile/abi-internal.md). One read serves
 * most of what a site needs.
 */
#define FRAME_WORDS 5

/*
 * Where lookups come through wrappers, as they mostly do from Go 1.27 on, two words more are read: they hold
 * the return address of a wrapper that has a frame of up to 40 bytes.
 */
#define WIDE_FRAME_WORDS 7

const volatile __u32 frame_is_wide;

/* The words that have been read at a hit. */
static __always_inline __u32 frame_words_read(void) { return frame_is_wide ? WIDE_FRAME_WORDS : FRAME_WORDS; }

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

/* A walk up the stack through the frames of wrappers, see gomap/caller.bpf.h. */
struct wrapper_walk {
    __u64 address; /* link-time return address: in a wrapper while the walk goes on */
    __u64 sp;      /* stack pointer after that return */
    __u32 failure;
};

/* A list of steps over two values, see gomap/key.bpf.h. */
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

/* One lane of the hash of a string, see gomap/string_hash.bpf.h. */
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
 * The scratch of one hit: its facts, gathered step by step, and working memory. Addresses are those of the
 * running process. What is above `info` is cleared or set for each hit.
 */
struct lookup {
    struct scratch scratch;
    __u8 key_class;
    __u8 hash_known; /* enum site_hash */
    __u8 hit;
    __u8 growing;
    __u8 map_is_storage; /* `map` is the address of the first group or bucket */
    __u8 function;       /* the lookup function's index */
    __u8 has_key;        /* `key` is in the copies */
    __u8 resumes;        /* another site has deferred this lookup */
    __u64 type;
    __u64 map;
    __u64 key;        /* by value, or the address of the key or of the string's bytes */
    __u64 key_length; /* of a string */
    __u64 hash;
    __u64 bias; /* run-time address minus link-time address */
    __u64 g;    /* the g of the thread, in r14 (cmd/compile/abi-internal.md) */

    __u64 hit_group; /* the group or bucket that holds the key, and which slot */
    __u32 hit_slot;

    __u32 type_is_lost; /* there was no room to note what the map's type is made of */
    __u32 inexact;      /* enum inexact_reason */
    __u32 work;         /* spent so far, see spend() */
    __u32 probe_length;
    __u32 comparisons;
    __u32 overflow;
    __u32 tombstones;
    __u32 directory;    /* as in struct map_state */
    __u32 log2_buckets; /* buckets of the map, or groups of the table visited: always a power of two */
    __u32 log2_slots;
    __u64 home;    /* home bucket or group */
    __u64 entries; /* of the whole map */
    __u64 used;    /* entries among the slots */

    struct map_type_info info;
    struct lookup_key name;   /* of the aggregate */
    struct lookup_key others; /* of the one of all lookups that have no name of their own */
    __u64 started;            /* when the hit began, if its time is taken */
    __u64 stack_word;         /* one that is not among the frame words */
    __u64 frame_at;           /* where the return address is */
    __u64 visited;            /* the group or bucket that is looked at */
    __u64 matches;            /* its slots that are still to be compared */
    __u32 copied;             /* bytes of it in copies.group */
    struct copies copies;
    struct pieces pieces;
    __u64 frame_words[WIDE_FRAME_WORDS]; /* the words from the return address up */
    __u64 group;                         /* of a small Swiss map */
    __u64 seed;                          /* of a small Swiss map's hash */
    struct classic_map classic;
    struct group_sequence groups;
    union {
        struct bucket_chain chain;
        struct wrapper_walk walk; /* begins when the chain is through */
    };
    struct steps_comparison steps;
    struct string_hash string_hash;
    struct exemplar exemplar;
    struct exemplar_key exemplar_key;
} LINE_ALIGNED;

/* The key was found in this slot of the group or bucket that is visited. */
static __always_inline void found(struct lookup *l, __u32 slot) {
    l->hit = 1;
    l->hit_group = l->visited;
    l->hit_slot = slot;
}

/*
 * What a hit may do at most, in units of some 150 ns: a piece of a key that is compared, half a step of a
 * comparison, half a group, a quarter of a bucket, a wrapper's frame. Nobody can stop a BPF program, and
 * whoever crafts a map - a bucket that is its own successor, keys of gigabytes - would hold a processor with
 * it. The longest chains and keys that honest programs were seen with need less than half of it.
 */
#define MAX_WORK 4096

/* Spends some of it; nonzero when there is no more: the hit is to end then, and counts as TOO_MUCH_WORK. */
static __always_inline int spend(struct lookup *l, __u32 units) {
    l->work += units;
    return l->work > MAX_WORK;
}

static __always_inline int has_overspent(const struct lookup *l) { return l->work > MAX_WORK; }

/* The word at an offset of the copies, which need not be aligned. */
static __always_inline __u64 copied_word(const struct lookup *l, __u64 offset) {
    return *(const __u64 *)((const __u8 *)&l->copies + within(offset, sizeof(struct copies) - 7));
}

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __uint(map_flags, ALIGNED_ARRAY);
    __type(key, __u32);
    __type(value, struct lookup);
} lookup_scratch SEC(".maps");

/* User space looks here for hits that are under way (src/programs/readers/cost-tables.ts). */
_Static_assert(offsetof(struct lookup, scratch) == 0 && offsetof(struct scratch, busy) == 0,
               "the first word says whether a hit is under way");

/* The lookup, where what it holds is a key or a value of a map; NULL never but to the verifier. */
static __always_inline struct lookup *lookup_from_map(const struct lookup *l) {
    return scratch_from_map(&lookup_scratch, &l->scratch);
}

/* Takes scratch for a hit, and clears what must be; NULL when all of it is taken. */
static __always_inline struct lookup *take_lookup(void) {
    struct lookup *l = take_scratch(&lookup_scratch);
    if (!l)
        return NULL;
    __builtin_memset(&l->key_class, 0, offsetof(struct lookup, info) - offsetof(struct lookup, key_class));
    l->pieces.left_at = 0;
    return l;
}
