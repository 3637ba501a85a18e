/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Swiss maps (Go 1.24 and later): src/internal/runtime/maps/{map,table,group}.go. The layouts below are the
 * same in 1.24-1.27; what differs between versions is per type and comes with the type's description.
 */
#pragma once

#include "gomap/go_layout.bpf.h"
#include "gomap/key.bpf.h"
#include "gomap/outcome.bpf.h"
#include "gomap/string_hash.bpf.h"
#include "lib/bits.bpf.h"

#define GROUP_SLOTS 8
#define LOG2_GROUP_SLOTS 3
#define CONTROL_EMPTY 0x80
#define CONTROL_FULL_MASK 0x8080808080808080ULL /* a full slot's control byte has the top bit clear */
#define MAX_GROUPS 128                          /* a table has at most 1024 slots (maxTableCapacity) */

/* Slots of the visited group whose control byte is a hash's H2, compared in slot order until one is equal.
 * Sets l->hit. */
static __always_inline outcome compare_candidates(struct lookup *l, __u64 matches, int strings_only) {
    l->matches = matches;
    for (int i = 0; i < GROUP_SLOTS && l->matches; i++) {
        __u32 slot = first_match(l->matches);
        l->matches = without_first_match(l->matches);
        l->comparisons++;
        __u32 result = strings_only ? compare_string_key(l, slot) : compare_key(l, slot);
        if (result == UNREADABLE_KEY)
            return COUNTER_UNREADABLE_KEY;
        if (result == EQUAL) {
            found(l, slot);
            break;
        }
    }
    return DECODED;
}

/*
 * Visits the next group of the probe sequence; 1 ends it. Its keys are read where the control word asks for
 * it: groups of tables are many, and mostly not in the processor's caches.
 */
static __always_inline long visit_group(struct lookup *l) {
    struct group_sequence *p = &l->groups;
    __u64 control;
    l->visited = p->groups + p->offset * l->info.group_size;
    if (spend(l, 2) || read_user(&control, sizeof(control), l->visited)) {
        p->failure = COUNTER_UNREADABLE_GROUP;
        return 1;
    }
    l->probe_length++;
    p->failure = compare_candidates(l, match_byte(control, l->hash & 0x7f), 0);
    if (p->failure)
        return 1;
    /* An empty slot ends every probe sequence that could have gone on past it. */
    if (l->hit || match_byte(control, CONTROL_EMPTY)) {
        p->ended = 1;
        return 1;
    }
    p->offset = (p->offset + ++p->step) & p->mask;
    return 0;
}

static long visit_next_group(__u32 index __maybe_unused, struct lookup **self) { return visit_group(*self); }

/* log2 of a table's groups, of which there are at most 128, from their number minus one. */
static __always_inline __u32 log2_groups(__u64 length_mask) {
    __u32 mask = length_mask & (MAX_GROUPS - 1);
    mask = (mask & 0x55) + (mask >> 1 & 0x55);
    mask = (mask & 0x33) + (mask >> 2 & 0x33);
    return (mask & 0xf) + (mask >> 4);
}

/* Sets where in a table the probe sequence starts, and what is known of the table. */
static __always_inline void start_in_table(struct lookup *l, const struct swiss_table *table) {
    l->groups.groups = table->groups;
    l->groups.mask = table->length_mask;
    l->groups.offset = (l->hash >> 7) & table->length_mask;
    l->groups.step = 0;
    l->groups.failure = 0;
    l->groups.ended = 0;
    l->home = l->groups.offset;
    l->log2_buckets = log2_groups(table->length_mask);
    l->used = table->used;
    l->log2_slots = l->log2_buckets + LOG2_GROUP_SLOTS;
    /* The runtime's own formula: maximum load 7/8, except a table of one group, which keeps one slot free
     * (table.go). */
    __s32 limit = table->capacity > GROUP_SLOTS ? table->capacity * 7 / 8 : GROUP_SLOTS - 1;
    __s32 tombstones = limit - table->used - table->growth_left;
    l->tombstones = tombstones > 0 ? tombstones : 0;
}

/*
 * Reads the map's header, and of a map that is not small the table that the hash selects. l->group is the
 * group of a small map, else 0. One after the other in the same bytes of the stack, for a frame has few of
 * them.
 */
__noinline outcome find_groups(struct lookup *l) {
    union {
        struct swiss_map map;
        __u64 address;
        struct swiss_table table;
    } at;
    if (!l || read_user(&at.map, sizeof(at.map), l->map))
        return COUNTER_UNREADABLE_MAP;
    if (at.map.used == 0)
        return COUNTER_EMPTY;
    l->group = 0;
    if (at.map.directory_length == 0) {
        l->group = at.map.directory;
        l->seed = at.map.seed;
        return DECODED;
    }
    if (!l->hash_known)
        return COUNTER_DROPPED_NO_HASH;
    l->entries = at.map.used;
    l->directory = at.map.global_depth + 1;
    __u64 table_pointer = at.map.directory;
    if (at.map.directory_length != 1)
        table_pointer += 8 * (l->hash >> (at.map.global_shift & 63));
    if (read_user(&at.address, sizeof(at.address), table_pointer) ||
        read_user(&at.table, sizeof(at.table), at.address))
        return COUNTER_UNREADABLE_TABLE;
    start_in_table(l, &at.table);
    return DECODED;
}

__noinline outcome probe_table(struct lookup *l) {
    if (!l)
        return COUNTER_UNREADABLE_TABLE;
    l->copied = 0;
    if (!visit_group(l))
        bpf_loop(MAX_GROUPS, visit_next_group, &l, 0);
    if (l->groups.failure)
        return l->groups.failure;
    return l->groups.ended ? DECODED : COUNTER_DROPPED_CHAIN_TOO_LONG;
}

/* Fast keys in a small map are not hashed: slots are compared in order while a full one is left (fast32,
 * fast64). */
static __always_inline outcome scan_small_group(struct lookup *l, __u64 control) {
    __u64 full = ~control & CONTROL_FULL_MASK;
    for (int i = 0; i < GROUP_SLOTS && full; i++) {
        __u32 result = compare_raw_key(l, i);
        l->comparisons++;
        if (result == UNREADABLE_KEY)
            return COUNTER_UNREADABLE_KEY;
        /* The raw key is compared first, whether the slot is full is asked after that. */
        if (result == EQUAL && (full & 0x80)) {
            found(l, i);
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
__noinline __s64 quick_candidates(struct lookup *l, __u64 control) {
    __u64 candidates = 0;
    if (!l)
        return -1;
    for (int i = 0; i < GROUP_SLOTS; i++, control >>= 8) {
        candidates >>= 8;
        if (control & 0x80)
            continue;
        __s64 at = copy_slot_key(l, i, sizeof(struct go_string));
        if (at < 0)
            return -1;
        if (copied_word(l, at + offsetof(struct go_string, length)) != l->key_length)
            continue;
        __u32 same = EQUAL;
        if (l->key_length > QUICK_TEST_LENGTH)
            same = compare_ends(copied_word(l, at), l->key, l->key_length, 8);
        if (same == UNREADABLE_KEY)
            return -1;
        if (same == EQUAL)
            candidates |= 0x80ULL << 56 >> 1;
    }
    return candidates;
}

/* compare_candidates() of strings, as a function of its own. */
__noinline outcome compare_quick_candidates(struct lookup *l, __u64 matches) {
    return l ? compare_candidates(l, matches, 1) : COUNTER_UNREADABLE_KEY;
}

/*
 * Key comparisons of a hit in a small map whose hash is not known: the function compares the slots that share
 * the key's H2, and the slot that is equal has that H2.
 */
static __always_inline __u32 comparisons_of_hit(const struct lookup *l, __u64 control) {
    __u32 slot = l->hit_slot & (GROUP_SLOTS - 1);
    __u64 up_to_slot = ~0ULL >> (56 - 8 * slot);
    return count_matches(match_byte(control, control >> (8 * slot)) & up_to_slot);
}

/*
 * The slot of a small map, as far as it has been copied, whose string has the address and the length of the
 * key, and therefore is equal to it: strings are often looked up by the value they were inserted with.
 * GROUP_SLOTS when there is none.
 */
static __always_inline __u32 same_string_slot(const struct lookup *l, __u64 control) {
    for (__u32 i = 0; i < GROUP_SLOTS; i++, control >>= 8) {
        __u32 offset = l->info.keys_offset + i * l->info.key_stride;
        if (!(control & 0x80) && offset + sizeof(struct go_string) <= l->copied &&
            copied_word(l, offset) == l->key && copied_word(l, offset + 8) == l->key_length)
            return i;
    }
    return GROUP_SLOTS;
}

/* Finds a string of up to QUICK_TEST_LENGTH bytes by its address, without its hash; 0 if it is not found that
 * way. */
__noinline int find_same_string(struct lookup *l) {
    if (!l || l->key_length > QUICK_TEST_LENGTH)
        return 0;
    __u64 control = l->copies.group[0];
    __u32 slot = same_string_slot(l, control);
    if (slot == GROUP_SLOTS)
        return 0;
    found(l, slot);
    l->comparisons = comparisons_of_hit(l, control);
    return 1;
}

/*
 * A string in a small map whose hash cannot be had, or is taken only when two slots pass the quick test:
 * candidates are found by the function's own tests.
 */
__noinline outcome scan_quick_candidates(struct lookup *l, __u64 control) {
    if (!l)
        return COUNTER_UNREADABLE_KEY;
    __u8 is_long = l->key_length > QUICK_TEST_LENGTH;
    __s64 found = quick_candidates(l, control);
    if (found < 0)
        return COUNTER_UNREADABLE_KEY;
    __u64 candidates = (__u64)found << 1;
    outcome failure = compare_quick_candidates(l, candidates);
    if (failure)
        return failure;
    if (is_long && count_matches(candidates) < 2) {
        l->comparisons = count_matches(candidates);
        return DECODED;
    }
    if (l->hit) {
        l->comparisons = comparisons_of_hit(l, control);
        return DECODED;
    }
    /* A miss does not reveal the H2. */
    l->comparisons = 0;
    if (is_long && hash_string(l) == 0)
        l->comparisons = count_matches(match_byte(control, l->hash & 0x7f));
    else
        l->inexact = INEXACT_NO_HASH;
    return DECODED;
}

static __always_inline outcome look_up_small(struct lookup *l) {
    if (read_group(l, l->group))
        return COUNTER_UNREADABLE_GROUP;
    __u64 control = l->copies.group[0];
    l->probe_length = 1;
    l->log2_buckets = 0;
    l->log2_slots = LOG2_GROUP_SLOTS;
    l->used = count_matches(~control & CONTROL_FULL_MASK);
    /* A small map is one group without tombstones, so its control word gives the number of entries without
     * the header.
     */
    l->entries = l->used;
    if (l->used == 0)
        return COUNTER_EMPTY;
    if (!l->hash_known) {
        if (l->key_class != KEY_STRING)
            return scan_small_group(l, control);
        if (find_same_string(l))
            return DECODED;
        /* Which slots are compared depends on the key's hash, which the caller does not know yet. */
        if (l->key_length > QUICK_TEST_LENGTH || hash_string(l))
            return scan_quick_candidates(l, control);
    }
    return compare_candidates(l, match_byte(control, l->hash & 0x7f), 0);
}

static __always_inline outcome look_up_swiss(struct lookup *l) {
    l->group = l->map;
    l->seed = 0;
    if (!l->map_is_storage) {
        outcome failure = find_groups(l);
        if (failure)
            return failure;
    }
    return l->group ? look_up_small(l) : probe_table(l);
}
