/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Comparing the key that is looked up with a key in the map, exactly as the target's own code does. Keys are
 * compared here and forgotten: none leaves the target.
 */
#pragma once

#include "gomap/key_steps.bpf.h"

/* Copies the first word of the visited group or bucket, its control bytes, and nothing else. */
__noinline long read_control_only(struct lookup *l) {
    if (!l)
        return -1;
    l->copied = sizeof(__u64);
    return read_user(l->copies.group, sizeof(__u64), l->visited);
}

/*
 * Copies the visited group or bucket, or as much of it as is of use. The pages behind the first need not be
 * there, and the target does not touch them before it must. So nothing is faulted in for them.
 */
static __always_inline long read_group(struct lookup *l, __u64 address) {
    __u32 size = within(l->info.group_copy, GROUP_COPY + 1);
    l->visited = address;
    l->copied = size;
    if (bpf_probe_read_user(l->copies.group, size, (const void *)address) == 0)
        return 0;
    return read_control_only(l);
}

/* Reads a slot's key into the copies, where the copy of its group does not reach. */
__noinline __s64 read_slot_key(struct lookup *l, __u32 offset, __u32 size) {
    if (!l || read_user(l->copies.slot_key, within(size, KEY_COPY + 1), l->visited + offset))
        return -1;
    return offsetof(struct copies, slot_key);
}

/* Offset in the copies of a slot's key of `size` bytes, negative when it cannot be read. */
static __always_inline __s64 copy_slot_key(struct lookup *l, __u32 slot, __u32 size) {
    __u32 offset = l->info.keys_offset + slot * l->info.key_stride;
    return offset + size <= l->copied ? offset : read_slot_key(l, offset, size);
}

/* Keys of 4 or 8 bytes by value. One of eight bytes may be aligned to four only: a struct of two numbers. */
static __always_inline __u32 compare_raw_key(struct lookup *l, __u32 slot) {
    __u32 size = l->key_class == KEY_BYTES64 ? 8 : 4;
    __u32 offset = l->info.keys_offset + slot * l->info.key_stride;
    __u64 key = 0;
    if (offset + size <= l->copied)
        key = copied_word(l, offset);
    else if (read_user(&key, size, l->visited + offset))
        return UNREADABLE_KEY;
    return (size == 8 ? key : (__u32)key) == l->key;
}

static __always_inline __u32 compare_string_key(struct lookup *l, __u32 slot) {
    __s64 at = copy_slot_key(l, slot, sizeof(struct go_string));
    if (at < 0)
        return UNREADABLE_KEY;
    if (copied_word(l, at + offsetof(struct go_string, length)) != l->key_length)
        return DIFFERENT;
    return compare_bytes(l, l->key, copied_word(l, at), l->key_length);
}

/* A key of a type with an equality of its own. */
__noinline __u32 compare_general_key(struct lookup *l, __u32 slot) {
    if (!l)
        return UNREADABLE_KEY;
    if (!l->info.equality_known) {
        /* The first candidate is taken for the key; the lookup is counted as inexact. */
        l->inexact = l->info.inexact_reason;
        return EQUAL;
    }
    if (l->info.copied_key) {
        __s64 at = copy_slot_key(l, slot, l->info.copied_key);
        return at < 0 ? UNREADABLE_KEY : compare_copies(l, at);
    }
    __u64 key = l->visited + l->info.keys_offset + (__u64)slot * l->info.key_stride;
    if (l->info.indirect_key && read_user(&key, sizeof(key), key))
        return UNREADABLE_KEY;
    return compare_in_place(l, key);
}

/* Compares the key with the one in a slot of the group or bucket that is visited. */
static __always_inline __u32 compare_key(struct lookup *l, __u32 slot) {
    if (l->key_class == KEY_STRING)
        return compare_string_key(l, slot);
    if (l->key_class == KEY_POINTER)
        return compare_general_key(l, slot);
    return compare_raw_key(l, slot);
}

/* Whether two strings of one length agree in their first and last `width` bytes, at most eight. */
__noinline __u32 compare_ends(__u64 left, __u64 right, __u64 length, __u32 width) {
    __u64 l = 0, r = 0;
    if (width > 8)
        width = 8;
    if (read_user(&l, width, left) || read_user(&r, width, right))
        return UNREADABLE_KEY;
    if (l != r)
        return DIFFERENT;
    if (read_user(&l, width, left + length - width) || read_user(&r, width, right + length - width))
        return UNREADABLE_KEY;
    return l == r;
}
