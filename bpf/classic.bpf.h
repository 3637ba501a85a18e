/*
 * Classic maps (Go up to 1.23, and 1.24/1.25 with GOEXPERIMENT=noswissmap): src/runtime/map.go,
 * map_fast32.go, map_fast64.go, map_faststr.go. The layouts and algorithms below are the same in 1.17-1.25.
 */
#pragma once

#include "bits.bpf.h"
#include "key.bpf.h"

/* runtime.hmap, as far as a lookup reads it. */
struct classic_map {
    __u64 count;
    __u8 flags;
    __u8 log2_buckets;
    __u16 overflow_count;
    __u32 seed;
    __u64 buckets;
    __u64 old_buckets; /* not 0 while the map grows */
};

#define FLAG_SAME_SIZE_GROW 8
#define BUCKET_SLOTS 8
#define LOG2_BUCKET_SLOTS 3
#define BUCKET_KEYS 8 /* offset of key 0: after the eight tophash bytes */

/* tophash values below MIN_TOP_HASH are states of a slot (map.go). */
#define EMPTY_REST 0 /* this slot is empty, and so is all that follows it in the chain */
#define EMPTY_ONE 1
#define EVACUATED_FIRST 2
#define EVACUATED_LAST 4
#define MIN_TOP_HASH 5

#define MAX_CHAIN 4096
#define QUICK_STRING_LENGTH                                                                                  \
    32 /* in a map of one bucket, shorter strings are compared without a quick test                          \
        */

struct chain {
    struct lookup *l;
    __u64 bucket;
    __u8 top;
    __u8 failure;
    __u8 ended;
};

inline_always __u64 key_address(const struct lookup *l, __u64 bucket, __u32 slot) {
    return bucket + BUCKET_KEYS + (__u64)slot * l->info.key_stride;
}

/* fast32, fast64: every slot's raw key is compared, whether the slot is empty is asked after that. */
separate outcome scan_raw_keys(struct lookup *l, __u64 bucket, __u64 tops) {
    if (!l)
        return COUNTER_UNREADABLE_KEY;
    for (int i = 0; i < BUCKET_SLOTS; i++) {
        __u32 result = compare_key(l, key_address(l, bucket, i));
        if (result == UNREADABLE_KEY)
            return COUNTER_UNREADABLE_KEY;
        l->comparisons++;
        if (result == EQUAL && (tops >> (8 * i) & 0xff) > EMPTY_ONE) {
            found(l, bucket, i);
            break;
        }
    }
    return DECODED;
}

/* Generic and faststr: keys are compared where the tophash agrees. A string's length must agree too, to be
 * compared. */
separate outcome scan_top_hashes(struct lookup *l, __u64 bucket, __u64 matches) {
    if (!l)
        return COUNTER_UNREADABLE_KEY;
    for (int i = 0; i < BUCKET_SLOTS && matches; i++) {
        __u32 index = first_match(matches);
        __u64 slot = key_address(l, bucket, index);
        matches = without_first_match(matches);
        if (l->key_class == KEY_STRING) {
            struct go_string key;
            if (read_user(&key, sizeof(key), slot))
                return COUNTER_UNREADABLE_KEY;
            if (key.length != l->key_length)
                continue;
        }
        l->comparisons++;
        __u32 result = compare_key(l, slot);
        if (result == UNREADABLE_KEY)
            return COUNTER_UNREADABLE_KEY;
        if (result == EQUAL) {
            found(l, bucket, index);
            break;
        }
    }
    return DECODED;
}

/* Visits one bucket of a chain; 1 ends it. */
static long visit_bucket(__u32 index unused, struct chain *c) {
    struct lookup *l = c->l;
    __u64 tops;
    if (read_user(&tops, sizeof(tops), c->bucket)) {
        c->failure = COUNTER_UNREADABLE_GROUP;
        return 1;
    }
    l->probe_length++;
    if (l->key_class == KEY_BYTES32 || l->key_class == KEY_BYTES64) {
        c->failure = scan_raw_keys(l, c->bucket, tops);
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
        c->failure = scan_top_hashes(l, c->bucket, matches);
    }
    if (c->failure || l->hit)
        c->ended = 1;
    if (c->ended)
        return 1;
    if (read_user(&c->bucket, sizeof(c->bucket), c->bucket + l->info.group_size - 8)) {
        c->failure = COUNTER_UNREADABLE_GROUP;
        return 1;
    }
    c->ended = c->bucket == 0;
    return c->ended;
}

inline_always outcome walk_chain(struct lookup *l, __u64 bucket) {
    __u8 top = l->hash >> 56;
    struct chain c = {.l = l, .bucket = bucket, .top = top < MIN_TOP_HASH ? top + MIN_TOP_HASH : top};
    if (!visit_bucket(0, &c))
        bpf_loop(MAX_CHAIN, visit_bucket, &c, 0);
    if (c.failure)
        return c.failure;
    return c.ended ? DECODED : COUNTER_DROPPED_CHAIN_TOO_LONG;
}

inline_always __u64 bucket_mask(const struct classic_map *map) {
    return (1ULL << (map->log2_buckets & 63)) - 1;
}

/* Whether a bucket of the old array has been moved: its first tophash says so. */
inline_always int is_evacuated(__u8 top) { return top >= EVACUATED_FIRST && top <= EVACUATED_LAST; }

/* The bucket in which the lookup starts: the old one while it has not been evacuated. 0 when unreadable. */
inline_always __u64 starting_bucket(struct lookup *l, const struct classic_map *map) {
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

/*
 * faststr in a map of one bucket. Short keys are compared wherever the length agrees. Of long keys only the
 * first and last four bytes are looked at, until one candidate is left for a full comparison; two candidates
 * make the function hash after all, and then its hashed site records the lookup.
 */
separate outcome scan_one_bucket(struct lookup *l, __u64 bucket) {
    if (!l)
        return COUNTER_UNREADABLE_KEY;
    __u64 tops, length = l->key_length, candidate = 0;
    __u32 candidate_slot = 0;
    __u8 is_long = length >= QUICK_STRING_LENGTH;
    __u32 first = 0, last = 0, head, tail;
    if (read_user(&tops, sizeof(tops), bucket))
        return COUNTER_UNREADABLE_GROUP;
    if (is_long && (read_user(&first, 4, l->key) || read_user(&last, 4, l->key + length - 4)))
        return COUNTER_UNREADABLE_KEY;
    l->probe_length = 1;
    for (int i = 0; i < BUCKET_SLOTS; i++) {
        struct go_string key;
        __u8 top = tops >> (8 * i);
        if (read_user(&key, sizeof(key), key_address(l, bucket, i)))
            return COUNTER_UNREADABLE_KEY;
        if (key.length != length || top <= EMPTY_ONE) {
            if (top == EMPTY_REST)
                break;
            continue;
        }
        if (is_long && key.data != l->key) {
            if (read_user(&head, 4, key.data) || read_user(&tail, 4, key.data + length - 4))
                return COUNTER_UNREADABLE_KEY;
            if (head != first || tail != last)
                continue;
            if (candidate)
                return COUNTER_DEFERRED;
            candidate = key.data;
            candidate_slot = i;
            continue;
        }
        l->comparisons++;
        __u32 result = compare_bytes(l->key, key.data, length);
        if (result == UNREADABLE_KEY)
            return COUNTER_UNREADABLE_KEY;
        if (result == EQUAL) {
            found(l, bucket, i);
            return DECODED;
        }
    }
    if (candidate) {
        l->comparisons++;
        __u32 result = compare_bytes(l->key, candidate, length);
        if (result == UNREADABLE_KEY)
            return COUNTER_UNREADABLE_KEY;
        if (result == EQUAL)
            found(l, bucket, candidate_slot);
    }
    return DECODED;
}

inline_always outcome look_up_classic(struct lookup *l) {
    struct classic_map map;
    if (read_user(&map, sizeof(map), l->map))
        return COUNTER_UNREADABLE_MAP;
    if (map.count == 0)
        return COUNTER_EMPTY;
    l->log2_buckets = map.log2_buckets;
    l->entries = map.count;
    l->used = map.count;
    l->log2_slots = map.log2_buckets + LOG2_BUCKET_SLOTS;
    l->overflow = map.overflow_count;
    l->growing = map.old_buckets != 0;
    if (!l->has_hash) {
        if (map.log2_buckets != 0)
            return COUNTER_DEFERRED;
        if (l->key_class == KEY_STRING)
            return scan_one_bucket(l, map.buckets);
        /* fast32, fast64: one bucket is used as it is, also while the map grows. */
        return walk_chain(l, map.buckets);
    }
    l->home = l->hash & bucket_mask(&map);
    __u64 bucket = starting_bucket(l, &map);
    return bucket ? walk_chain(l, bucket) : COUNTER_UNREADABLE_GROUP;
}
