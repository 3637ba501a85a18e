/*
 * Swiss maps (Go 1.24 and later): src/internal/runtime/maps/{map,table,group}.go. The layouts below are the
 * same in 1.24-1.27; what differs between versions is per type and comes with the type's description.
 */
#pragma once

#include "bits.bpf.h"
#include "key.bpf.h"
#include "string_hash.bpf.h"

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

#define GROUP_SLOTS 8
#define LOG2_GROUP_SLOTS 3
#define CONTROL_EMPTY 0x80
#define CONTROL_FULL_MASK 0x8080808080808080ULL /* a full slot's control byte has the top bit clear */
#define MAX_GROUPS 128                          /* a table has at most 1024 slots (maxTableCapacity) */

/* Slots whose control byte is a hash's H2, compared in slot order until one is equal. Sets l->hit. */
separate outcome compare_candidates(struct lookup *l, __u64 group, __u64 matches) {
    if (!l)
        return COUNTER_UNREADABLE_KEY;
    for (int i = 0; i < GROUP_SLOTS && matches; i++) {
        __u32 slot = first_match(matches);
        matches = without_first_match(matches);
        l->comparisons++;
        __u32 result = compare_key(l, group + l->info.keys_offset + (__u64)slot * l->info.key_stride);
        if (result == UNREADABLE_KEY)
            return COUNTER_UNREADABLE_KEY;
        if (result == EQUAL) {
            found(l, group, slot);
            break;
        }
    }
    return DECODED;
}

/* Visits one group of the probe sequence; 1 ends it. */
static long visit_group(__u32 index unused, struct lookup **self) {
    struct lookup *l = *self;
    struct group_sequence *p = &l->groups;
    __u64 group = p->groups + p->offset * l->info.group_size;
    __u64 control;
    if (read_user(&control, sizeof(control), group)) {
        p->failure = COUNTER_UNREADABLE_GROUP;
        return 1;
    }
    l->probe_length++;
    __u64 matches = match_byte(control, l->hash & 0x7f);
    if (matches) {
        p->failure = compare_candidates(l, group, matches);
        if (p->failure)
            return 1;
    }
    /* An empty slot ends every probe sequence that could have gone on past it. */
    if (l->hit || match_byte(control, CONTROL_EMPTY)) {
        p->ended = 1;
        return 1;
    }
    p->offset = (p->offset + ++p->step) & p->mask;
    return 0;
}

/* log2 of a table's groups, of which there are at most 128, from their number minus one. */
inline_always __u32 log2_groups(__u64 length_mask) {
    __u32 mask = length_mask & (MAX_GROUPS - 1);
    mask = (mask & 0x55) + (mask >> 1 & 0x55);
    mask = (mask & 0x33) + (mask >> 2 & 0x33);
    return (mask & 0xf) + (mask >> 4);
}

/* Finds the table that the hash selects, and where in it the probe sequence starts. */
separate outcome find_table(struct lookup *l, __u64 directory_entry) {
    __u64 address;
    struct swiss_table table;
    if (!l)
        return COUNTER_UNREADABLE_TABLE;
    if (read_user(&address, sizeof(address), directory_entry) || read_user(&table, sizeof(table), address))
        return COUNTER_UNREADABLE_TABLE;
    l->groups.groups = table.groups;
    l->groups.mask = table.length_mask;
    l->groups.offset = (l->hash >> 7) & table.length_mask;
    l->groups.step = 0;
    l->groups.failure = 0;
    l->groups.ended = 0;
    l->home = l->groups.offset;
    l->log2_buckets = log2_groups(table.length_mask);
    l->used = table.used;
    l->log2_slots = l->log2_buckets + LOG2_GROUP_SLOTS;
    /* The runtime's own formula: maximum load 7/8, except a table of one group, which keeps one slot free
     * (table.go). */
    __s32 limit = table.capacity > GROUP_SLOTS ? table.capacity * 7 / 8 : GROUP_SLOTS - 1;
    __s32 tombstones = limit - table.used - table.growth_left;
    l->tombstones = tombstones > 0 ? tombstones : 0;
    return DECODED;
}

inline_always outcome probe_table(struct lookup *l, __u64 directory_entry) {
    outcome failure = find_table(l, directory_entry);
    if (failure)
        return failure;
    if (!visit_group(0, &l))
        bpf_loop(MAX_GROUPS, visit_group, &l, 0);
    if (l->groups.failure)
        return l->groups.failure;
    return l->groups.ended ? DECODED : COUNTER_DROPPED_CHAIN_TOO_LONG;
}

/* Fast keys in a small map are not hashed: slots are compared in order while a full one is left (fast32,
 * fast64). */
separate outcome scan_small_group(struct lookup *l, __u64 group, __u64 control) {
    if (!l)
        return COUNTER_UNREADABLE_KEY;
    __u64 full = ~control & CONTROL_FULL_MASK;
    __u64 keys = group + l->info.keys_offset;
    int have_keys = !read_raw_keys(l, keys);
    for (int i = 0; i < GROUP_SLOTS && full; i++) {
        __u32 result = compare_raw_slot(l, keys, i, have_keys);
        l->comparisons++;
        if (result == UNREADABLE_KEY)
            return COUNTER_UNREADABLE_KEY;
        /* The raw key is compared first, whether the slot is full is asked after that. */
        if (result == EQUAL && (full & 0x80)) {
            found(l, group, i);
            break;
        }
        full >>= 8;
    }
    return DECODED;
}

#define QUICK_TEST_LENGTH 64 /* strings longer than this are not hashed in a small map */

/*
 * Full slots whose string has the length of the key and, for long keys, its first and last eight bytes: the
 * quick test of
 * (*Map).getWithoutKeySmallFastStr. Their bits are set as match_byte sets them, one place further down, so
 * that the sign stays free: negative when unreadable.
 */
separate __s64 quick_candidates(struct lookup *l, __u64 group, __u64 control) {
    __u64 candidates = 0;
    if (!l)
        return -1;
    for (int i = 0; i < GROUP_SLOTS; i++, control >>= 8) {
        struct go_string key;
        candidates >>= 8;
        if (control & 0x80)
            continue;
        if (read_user(&key, sizeof(key), group + l->info.keys_offset + (__u64)i * l->info.key_stride))
            return -1;
        if (key.length != l->key_length)
            continue;
        __u32 same = EQUAL;
        if (l->key_length > QUICK_TEST_LENGTH)
            same = compare_ends(key.data, l->key, key.length, 8);
        if (same == UNREADABLE_KEY)
            return -1;
        if (same == EQUAL)
            candidates |= 0x80ULL << 56 >> 1;
    }
    return candidates;
}

/* A string in a small map: which slots are compared depends on the key's hash, which the caller does not know
 * yet. */
inline_always outcome scan_small_strings(struct lookup *l, __u64 group, __u64 control, __u64 seed) {
    __u8 is_long = l->key_length > QUICK_TEST_LENGTH;
    if (!is_long && hash_string(l, seed) == 0)
        return compare_candidates(l, group, match_byte(control, l->hash & 0x7f));
    __s64 found = quick_candidates(l, group, control);
    if (found < 0)
        return COUNTER_UNREADABLE_KEY;
    __u64 candidates = (__u64)found << 1;
    __u32 count = count_matches(candidates);
    outcome failure = compare_candidates(l, group, candidates);
    if (failure)
        return failure;
    if (is_long && count < 2) {
        l->comparisons = count;
        return DECODED;
    }
    /* The function compares the slots that share the key's H2. A hit's slot tells the H2; a miss does not. */
    if (l->hit) {
        /* compare_candidates stopped at the slot that is equal: the last of those it compared. */
        for (int i = 1; i < GROUP_SLOTS; i++)
            if ((__u32)i < l->comparisons)
                candidates = without_first_match(candidates);
        __u64 slot = candidates & -candidates;
        __u8 h2 = control >> (8 * first_match(candidates));
        l->comparisons = count_matches(match_byte(control, h2) & (slot | (slot - 1)));
        return DECODED;
    }
    l->comparisons = 0;
    if (is_long && hash_string(l, seed) == 0)
        l->comparisons = count_matches(match_byte(control, l->hash & 0x7f));
    else
        l->inexact = INEXACT_NO_HASH;
    return DECODED;
}

separate outcome look_up_small(struct lookup *l, __u64 group, __u64 seed) {
    if (!l)
        return COUNTER_UNREADABLE_GROUP;
    __u64 control;
    if (read_user(&control, sizeof(control), group))
        return COUNTER_UNREADABLE_GROUP;
    l->probe_length = 1;
    l->log2_buckets = 0;
    l->log2_slots = LOG2_GROUP_SLOTS;
    l->used = count_matches(~control & CONTROL_FULL_MASK);
    /* A small map is one group without tombstones, so its control word tells the entries without the header.
     */
    l->entries = l->used;
    if (l->used == 0)
        return COUNTER_EMPTY;
    if (l->has_hash)
        return compare_candidates(l, group, match_byte(control, l->hash & 0x7f));
    if (l->key_class == KEY_STRING)
        return scan_small_strings(l, group, control, seed);
    return scan_small_group(l, group, control);
}

separate long read_swiss_map(struct lookup *l, __u64 address) {
    struct swiss_map map;
    if (!l || read_user(&map, sizeof(map), address))
        return -1;
    l->swiss = map;
    return 0;
}

inline_always outcome look_up_swiss(struct lookup *l, __u8 map_is_storage) {
    if (map_is_storage)
        return look_up_small(l, l->map, 0);
    if (read_swiss_map(l, l->map))
        return COUNTER_UNREADABLE_MAP;
    if (l->swiss.used == 0)
        return COUNTER_EMPTY;
    if (l->swiss.directory_length == 0)
        return look_up_small(l, l->swiss.directory, l->swiss.seed);
    if (!l->has_hash)
        return COUNTER_DEFERRED;
    l->entries = l->swiss.used;
    __u64 entry = l->swiss.directory;
    if (l->swiss.directory_length != 1)
        entry += 8 * (l->hash >> (l->swiss.global_shift & 63));
    return probe_table(l, entry);
}
