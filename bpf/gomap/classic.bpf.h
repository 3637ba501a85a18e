/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Classic maps (Go up to 1.23, and 1.24/1.25 with GOEXPERIMENT=noswissmap): src/runtime/map.go,
 * map_fast32.go, map_fast64.go, map_faststr.go. The layouts and algorithms below are the same in 1.17-1.25.
 */
#pragma once

#include "gomap/go_layout.bpf.h"
#include "gomap/key.bpf.h"
#include "gomap/outcome.bpf.h"
#include "lib/bits.bpf.h"

#define FLAG_SAME_SIZE_GROW 8
#define BUCKET_SLOTS 8
#define LOG2_BUCKET_SLOTS 3

/* States of a slot, below MIN_TOP_HASH (map.go). */
#define EMPTY_REST 0 /* this slot is empty, and so is all that follows it in the chain */
#define EMPTY_ONE 1
#define EVACUATED_FIRST 2
#define EVACUATED_LAST 4

#define BUCKET_WORK 4                      /* units that a bucket costs, see spend() */
#define MAX_CHAIN (MAX_WORK / BUCKET_WORK) /* buckets: as many as a hit can pay for */
#define QUICK_STRING_LENGTH                                                                                  \
    32 /* in a map of one bucket, shorter strings are compared without a quick test                          \
        */

/* fast32, fast64: every slot's raw key is compared, whether the slot is empty is asked after that. */
static __always_inline outcome scan_raw_keys(struct lookup *l, __u64 tops) {
    for (int i = 0; i < BUCKET_SLOTS; i++, tops >>= 8) {
        __u32 result = compare_raw_key(l, i);
        if (result == UNREADABLE_KEY)
            return COUNTER_UNREADABLE_KEY;
        l->comparisons++;
        if (result == EQUAL && (tops & 0xff) > EMPTY_ONE) {
            found(l, i);
            break;
        }
    }
    return DECODED;
}

/* A string's length must agree, before it is compared. */
static __always_inline __u32 compare_if_same_length(struct lookup *l, __u32 slot) {
    __s64 at = copy_slot_key(l, slot, sizeof(struct go_string));
    if (at < 0)
        return UNREADABLE_KEY;
    if (copied_word(l, at + offsetof(struct go_string, length)) != l->key_length)
        return DIFFERENT;
    l->comparisons++;
    return compare_bytes(l, l->key, copied_word(l, at), l->key_length);
}

/* Generic and faststr: keys are compared where the tophash agrees. */
static __always_inline outcome scan_top_hashes(struct lookup *l, __u64 matches) {
    l->matches = matches;
    for (int i = 0; i < BUCKET_SLOTS && l->matches; i++) {
        __u32 index = first_match(l->matches), result;
        l->matches = without_first_match(l->matches);
        if (l->key_class == KEY_STRING) {
            result = compare_if_same_length(l, index);
        } else {
            l->comparisons++;
            result = compare_key(l, index);
        }
        if (result == UNREADABLE_KEY)
            return COUNTER_UNREADABLE_KEY;
        if (result == EQUAL) {
            found(l, index);
            break;
        }
    }
    return DECODED;
}

/* The overflow pointer is a bucket's last word. */
static __always_inline long read_next_bucket(struct lookup *l) {
    struct bucket_chain *c = &l->chain;
    __u32 offset = l->info.group_size - sizeof(__u64);
    if (l->copied != l->info.group_size)
        return read_user(&c->bucket, sizeof(c->bucket), c->bucket + offset);
    c->bucket = copied_word(l, offset);
    return 0;
}

/* Visits the next bucket of a chain; 1 ends it. */
static __always_inline long visit_bucket(struct lookup *l) {
    struct bucket_chain *c = &l->chain;
    if (spend(l, BUCKET_WORK) || read_group(l, c->bucket)) {
        c->failure = COUNTER_UNREADABLE_GROUP;
        return 1;
    }
    __u64 tops = l->copies.group[0];
    l->probe_length++;
    if (l->key_class == KEY_BYTES32 || l->key_class == KEY_BYTES64) {
        c->failure = scan_raw_keys(l, tops);
    } else {
        __u64 matches = match_byte(tops, c->top);
        if (l->key_class == KEY_POINTER) {
            __u64 rest = match_byte(tops, EMPTY_REST);
            /* Slots from the first "empty from here on" are not looked at, and nor is the rest of the chain.
             */
            if (rest) {
                matches &= (rest & -rest) - 1;
                c->ended = 1;
            }
        }
        c->failure = scan_top_hashes(l, matches);
    }
    if (c->failure || l->hit)
        c->ended = 1;
    if (c->ended)
        return 1;
    if (read_next_bucket(l)) {
        c->failure = COUNTER_UNREADABLE_GROUP;
        return 1;
    }
    c->ended = c->bucket == 0;
    return c->ended;
}

static long visit_next_bucket(__u32 index __maybe_unused, struct lookup **self) {
    return visit_bucket(*self);
}

__noinline outcome walk_chain(struct lookup *l, __u64 bucket) {
    if (!l)
        return COUNTER_UNREADABLE_GROUP;
    __u8 top = l->hash >> 56;
    l->chain.bucket = bucket;
    l->chain.top = top < MIN_TOP_HASH ? top + MIN_TOP_HASH : top;
    l->chain.failure = 0;
    l->chain.ended = 0;
    if (!visit_bucket(l))
        bpf_loop(MAX_CHAIN, visit_next_bucket, &l, 0);
    if (l->chain.failure)
        return l->chain.failure;
    return l->chain.ended ? DECODED : COUNTER_DROPPED_CHAIN_TOO_LONG;
}

static __always_inline __u64 bucket_mask(const struct classic_map *map) {
    return (1ULL << (map->log2_buckets & 63)) - 1;
}

/* Whether a bucket of the old array has been moved: its first tophash says so. */
static __always_inline int is_evacuated(__u8 top) { return top >= EVACUATED_FIRST && top <= EVACUATED_LAST; }

/* The bucket in which the lookup starts: the old one while it has not been evacuated. 0 when unreadable. */
static __always_inline __u64 starting_bucket(struct lookup *l, const struct classic_map *map) {
    __u64 mask = bucket_mask(map);
    __u64 bucket = map->buckets + (l->hash & mask) * l->info.group_size;
    if (!map->old_buckets)
        return bucket;
    if (!(map->flags & FLAG_SAME_SIZE_GROW))
        mask >>= 1;
    __u64 old = map->old_buckets + (l->hash & mask) * l->info.group_size;
    __u8 top;
    if (read_user(&top, sizeof(top), old))
        return 0;
    return is_evacuated(top) ? bucket : old;
}

/* What a slot of a map of one bucket is to the string that is looked up. */
enum slot_answer { SLOT_OTHER, SLOT_CANDIDATE, SLOT_EQUAL, SLOT_LAST, SLOT_UNREADABLE };

/*
 * Short keys are compared wherever the length agrees. Long keys too where the address is the same; otherwise
 * only their first and last four bytes are looked at.
 */
static __always_inline __u32 try_string_slot(struct lookup *l, __u32 slot, __u32 top) {
    __u32 result;
    __s64 at = copy_slot_key(l, slot, sizeof(struct go_string));
    if (at < 0)
        return SLOT_UNREADABLE;
    __u64 data = copied_word(l, at);
    if (copied_word(l, at + offsetof(struct go_string, length)) != l->key_length || top <= EMPTY_ONE)
        return top == EMPTY_REST ? SLOT_LAST : SLOT_OTHER;
    if (l->key_length >= QUICK_STRING_LENGTH && data != l->key) {
        result = compare_ends(data, l->key, l->key_length, 4);
        return result == UNREADABLE_KEY ? SLOT_UNREADABLE : result == EQUAL ? SLOT_CANDIDATE : SLOT_OTHER;
    }
    l->comparisons++;
    result = compare_bytes(l, l->key, data, l->key_length);
    return result == UNREADABLE_KEY ? SLOT_UNREADABLE : result == EQUAL ? SLOT_EQUAL : SLOT_OTHER;
}

/*
 * Finds a short string by its address, without a look at any bytes: strings are often looked up by the value
 * they were inserted with. Keys in a map differ, so that those of its length before it were compared and are
 * not equal. 0 if it is not found that way.
 */
__noinline int find_same_short_string(struct lookup *l) {
    if (!l || l->key_length >= QUICK_STRING_LENGTH)
        return 0;
    __u64 tops = l->copies.group[0];
    __u32 comparisons = 0;
    for (__u32 i = 0; i < BUCKET_SLOTS; i++, tops >>= 8) {
        __u32 top = tops & 0xff, offset = l->info.keys_offset + i * l->info.key_stride;
        if (top == EMPTY_REST || offset + sizeof(struct go_string) > l->copied)
            return 0;
        if (top == EMPTY_ONE || copied_word(l, offset + 8) != l->key_length)
            continue;
        comparisons++;
        if (copied_word(l, offset) == l->key) {
            l->comparisons = comparisons;
            found(l, i);
            return 1;
        }
    }
    return 0;
}

/*
 * faststr in a map of one bucket. Of long keys one candidate may be left for a full comparison; two
 * candidates make the function hash after all, and then its hashed site records the lookup.
 */
__noinline outcome scan_one_bucket(struct lookup *l, __u64 bucket) {
    __s32 candidate = -1;
    if (!l || read_group(l, bucket))
        return COUNTER_UNREADABLE_GROUP;
    __u64 tops = l->copies.group[0];
    l->probe_length = 1;
    if (find_same_short_string(l))
        return DECODED;
    for (int i = 0; i < BUCKET_SLOTS; i++, tops >>= 8) {
        __u32 answer = try_string_slot(l, i, tops & 0xff);
        if (answer == SLOT_UNREADABLE)
            return COUNTER_UNREADABLE_KEY;
        if (answer == SLOT_LAST)
            break;
        if (answer == SLOT_EQUAL) {
            found(l, i);
            return DECODED;
        }
        if (answer == SLOT_CANDIDATE) {
            if (candidate >= 0)
                return COUNTER_DEFERRED;
            candidate = i;
        }
    }
    if (candidate < 0)
        return DECODED;
    l->comparisons++;
    __u32 result = compare_string_key(l, candidate);
    if (result == UNREADABLE_KEY)
        return COUNTER_UNREADABLE_KEY;
    if (result == EQUAL)
        found(l, candidate);
    return DECODED;
}

__noinline long read_classic_map(struct lookup *l, __u64 address) {
    struct classic_map map;
    if (!l || read_user(&map, sizeof(map), address))
        return -1;
    l->classic = map;
    return 0;
}

static __always_inline outcome look_up_classic(struct lookup *l) {
    const struct classic_map *map = &l->classic;
    if (read_classic_map(l, l->map))
        return COUNTER_UNREADABLE_MAP;
    if (map->count == 0)
        return COUNTER_EMPTY;
    l->log2_buckets = map->log2_buckets;
    l->entries = map->count;
    l->used = map->count;
    l->log2_slots = map->log2_buckets + LOG2_BUCKET_SLOTS;
    l->overflow = map->overflow_count;
    l->growing = map->old_buckets != 0;
    if (!l->hash_known) {
        if (map->log2_buckets != 0)
            return COUNTER_DROPPED_NO_HASH;
        if (l->key_class == KEY_STRING)
            return scan_one_bucket(l, map->buckets);
        /* fast32, fast64: one bucket is used as it is, also while the map grows. */
        return walk_chain(l, map->buckets);
    }
    l->resumes = l->hash_known == HASH_KNOWN_RESUMES && map->log2_buckets == 0;
    l->home = l->hash & bucket_mask(map);
    __u64 bucket = starting_bucket(l, map);
    return bucket ? walk_chain(l, bucket) : COUNTER_UNREADABLE_GROUP;
}
