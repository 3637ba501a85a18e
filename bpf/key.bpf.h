/*
 * Comparing the key that is looked up with a key in the map, exactly as the target's own code does. Keys are
 * compared here and forgotten: none leaves the target.
 */
#pragma once

#include "memory.bpf.h"

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct equal_step);
} equal_steps SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, __u64);
    __type(value, struct dynamic_type_info);
} dynamic_types SEC(".maps");

enum comparison { DIFFERENT = 0, EQUAL = 1, UNREADABLE_KEY = 2 };

/* A Go string header, and the two words of an interface value. */
struct go_string {
    __u64 data;
    __u64 length;
};
struct go_interface {
    __u64 type;
    __u64 data;
};

#define CHUNK 16
#define MAX_CHUNKS (1 << 20) /* keys are compared up to 16 MiB */

struct bytes_comparison {
    __u64 left;
    __u64 right;
    __u64 remaining;
    __u32 result;
};

/* Compares the next chunk; 1 ends the loop. */
called long compare_chunk(__u32 index unused, struct bytes_comparison *c) {
    __u64 left[CHUNK / 8] = {}, right[CHUNK / 8] = {};
    __u64 size = c->remaining;
    if (size > CHUNK)
        size = CHUNK;
    if (size == 0)
        return 1;
    if (read_user(left, size, c->left) || read_user(right, size, c->right)) {
        c->result = UNREADABLE_KEY;
        return 1;
    }
    if ((left[0] ^ right[0]) | (left[1] ^ right[1])) {
        c->result = DIFFERENT;
        return 1;
    }
    c->left += size;
    c->right += size;
    c->remaining -= size;
    return c->remaining == 0;
}

/* runtime.memequal: equal addresses are equal without a look. */
separate __u32 compare_bytes(__u64 left, __u64 right, __u64 length) {
    struct bytes_comparison c = {.left = left, .right = right, .remaining = length, .result = EQUAL};
    if (left == right || length == 0)
        return EQUAL;
    if (!compare_chunk(0, &c))
        bpf_loop(MAX_CHUNKS, compare_chunk, &c, 0);
    return c.result;
}

/* A float equals itself unless it is NaN, and -0 equals 0. `exponent` has the exponent's bits set. */
inline_always __u32 compare_float(__u64 left, __u64 right, __u64 sign, __u64 exponent) {
    __u64 l = left & ~sign, r = right & ~sign;
    if (l > exponent || r > exponent)
        return DIFFERENT;
    return left == right || (l | r) == 0;
}

separate __u32 compare_strings(__u64 left, __u64 right) {
    struct go_string l, r;
    if (read_user(&l, sizeof(l), left) || read_user(&r, sizeof(r), right))
        return UNREADABLE_KEY;
    if (l.length != r.length)
        return DIFFERENT;
    return compare_bytes(l.data, r.data, l.length);
}

/* One step of a comparison, other than of interfaces. */
inline_always __u32 compare_step(__u32 kind, __u32 size, __u64 left, __u64 right) {
    __u64 l = 0, r = 0;
    if (kind == EQUAL_MEMORY)
        return compare_bytes(left, right, size);
    if (kind == EQUAL_STRING)
        return compare_strings(left, right);
    __u64 sign = kind == EQUAL_FLOAT32 ? 1ULL << 31 : 1ULL << 63;
    __u64 exponent = kind == EQUAL_FLOAT32 ? 0x7f800000ULL : 0x7ff0000000000000ULL;
    __u32 width = kind == EQUAL_FLOAT32 ? 4 : 8;
    if (read_user(&l, width, left) || read_user(&r, width, right))
        return UNREADABLE_KEY;
    return compare_float(l, r, sign, exponent);
}

#define MAX_EQUAL_STEPS 256

/*
 * runtime.efaceeq and ifaceeq: the type words must agree, then the values by their type's own equality. That
 * one goes on as the steps to do next, if it takes any.
 */
separate __u32 enter_interface(struct lookup *lookup, __u32 kind, __u64 left, __u64 right) {
    if (!lookup)
        return UNREADABLE_KEY;
    struct steps_comparison *c = &lookup->steps;
    struct go_interface l, r;
    if (read_user(&l, sizeof(l), left) || read_user(&r, sizeof(r), right))
        return UNREADABLE_KEY;
    if (l.type != r.type)
        return DIFFERENT;
    if (l.type == 0)
        return EQUAL;
    if (c->nesting >= MAX_NESTING) {
        lookup->inexact = INEXACT_NESTED_INTERFACE;
        return l.data == r.data;
    }
    /* The first word of a non-empty interface is an itab; its second word is the type. */
    __u64 type = l.type;
    if (kind == EQUAL_IFACE && read_user(&type, sizeof(type), l.type + 8))
        return UNREADABLE_KEY;
    type -= lookup->bias;
    struct dynamic_type_info *info = bpf_map_lookup_elem(&dynamic_types, &type);
    if (!info || !info->equality_known) {
        lookup->inexact = INEXACT_DYNAMIC_TYPE;
        return l.data == r.data;
    }
    /* A pointer-shaped value is the data word itself. */
    if (info->direct)
        return l.data == r.data;
    if (c->nesting == 0)
        c->outer[0] = c->now;
    else
        c->outer[1] = c->now;
    c->nesting++;
    c->now.left = l.data;
    c->now.right = r.data;
    c->now.next = info->equal_first;
    c->now.end = info->equal_first + info->equal_count;
    return EQUAL;
}

/* Does the next step; 1 ends the comparison. */
static long compare_next(__u32 index unused, struct lookup **self) {
    struct lookup *lookup = *self;
    struct steps_comparison *c = &lookup->steps;
    if (c->now.next == c->now.end) {
        if (c->nesting == 0)
            return 1;
        c->nesting--;
        c->now = c->nesting == 0 ? c->outer[0] : c->outer[1];
        return 0;
    }
    __u32 at = c->now.next++;
    struct equal_step *step = bpf_map_lookup_elem(&equal_steps, &at);
    if (!step)
        return 1;
    __u64 left = c->now.left + step->offset, right = c->now.right + step->offset;
    if (step->kind == EQUAL_EFACE || step->kind == EQUAL_IFACE)
        c->result = enter_interface(lookup, step->kind, left, right);
    else
        c->result = compare_step(step->kind, step->size, left, right);
    return c->result != EQUAL;
}

/* A key of a type with an equality of its own, by the list of steps built from the type's descriptor. */
inline_always __u32 compare_by_steps(struct lookup *l, __u64 slot_key) {
    if (!l->info.equality_known) {
        /* The first candidate is taken for the key; the lookup is counted as inexact. */
        l->inexact = l->info.inexact_reason;
        return EQUAL;
    }
    l->steps.nesting = 0;
    l->steps.result = EQUAL;
    l->steps.now.left = l->key;
    l->steps.now.right = slot_key;
    l->steps.now.next = l->info.equal_first;
    l->steps.now.end = l->info.equal_first + l->info.equal_count;
    bpf_loop(MAX_EQUAL_STEPS, compare_next, &l, 0);
    return l->steps.result;
}

/* A key of 4 or 8 bytes by value. */
inline_always __u32 compare_raw_key(const struct lookup *l, __u64 slot) {
    __u64 key = 0;
    if (read_user(&key, l->key_class == KEY_BYTES64 ? 8 : 4, slot))
        return UNREADABLE_KEY;
    return key == l->key;
}

/* Reads the eight raw keys of a group or bucket at once, where they lie close enough together; 0 on success.
 */
separate long read_raw_keys(struct lookup *l, __u64 address) {
    if (!l || l->info.key_stride > RAW_KEY_STRIDE)
        return -1;
    return read_user(l->raw_keys, within(8 * l->info.key_stride, 8 * RAW_KEY_STRIDE + 1), address);
}

/* Compares with the raw key of a slot, from what read_raw_keys has read at `keys` if it has, else from the
 * target. */
separate __u32 compare_raw_slot(const struct lookup *l, __u64 keys, __u32 slot, __u32 have_keys) {
    if (!l)
        return UNREADABLE_KEY;
    __u32 offset = slot * l->info.key_stride;
    if (!have_keys)
        return compare_raw_key(l, keys + offset);
    __u32 word = within(offset / 4, RAW_KEY_WORDS);
    if (l->raw_keys[word] != (__u32)l->key)
        return DIFFERENT;
    /* A key of eight bytes may be aligned to four only: a struct of two numbers of four. */
    return l->key_class == KEY_BYTES32 || l->raw_keys[word + 1] == l->key >> 32;
}

inline_always __u32 compare_string_key(const struct lookup *l, __u64 slot) {
    struct go_string key;
    if (read_user(&key, sizeof(key), slot))
        return UNREADABLE_KEY;
    return key.length == l->key_length ? compare_bytes(l->key, key.data, key.length) : DIFFERENT;
}

/* Compares the key with the one in the slot at this address. */
separate __u32 compare_key(struct lookup *l, __u64 slot) {
    __u64 key = slot;
    if (!l)
        return UNREADABLE_KEY;
    if (l->key_class == KEY_STRING)
        return compare_string_key(l, slot);
    if (l->key_class != KEY_POINTER)
        return compare_raw_key(l, slot);
    if (l->info.indirect_key && read_user(&key, sizeof(key), slot))
        return UNREADABLE_KEY;
    return compare_by_steps(l, key);
}

/* Whether two strings of one length agree in their first and last `width` bytes, at most eight. */
separate __u32 compare_ends(__u64 left, __u64 right, __u64 length, __u32 width) {
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
