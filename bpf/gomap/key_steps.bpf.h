/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keys of a type with an equality of its own, compared by the list of steps that user space made of the
 * type's descriptor.
 */
#pragma once

#include "gomap/memory_compare.bpf.h"
#include "shared/map_type.h"

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct equal_step);
} equal_steps SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1);
    __type(key, __u64);
    __type(value, struct dynamic_type_info);
} dynamic_types SEC(".maps");

/* A float equals itself unless it is NaN, and -0 equals 0. */
static __always_inline __u32 compare_floats(__u32 kind, __u64 left, __u64 right) {
    __u64 sign = kind == EQUAL_FLOAT32 ? 1ULL << 31 : 1ULL << 63;
    __u64 exponent = kind == EQUAL_FLOAT32 ? 0x7f800000ULL : 0x7ff0000000000000ULL;
    __u64 l = left & ~sign, r = right & ~sign;
    if (l > exponent || r > exponent)
        return DIFFERENT;
    return left == right || (l | r) == 0;
}

static __always_inline __u32 compare_strings(struct lookup *l, __u64 left, __u64 right) {
    struct go_string a, b;
    if (!l || read_user(&a, sizeof(a), left) || read_user(&b, sizeof(b), right))
        return UNREADABLE_KEY;
    if (a.length != b.length)
        return DIFFERENT;
    return compare_bytes(l, a.data, b.data, a.length);
}

__noinline __u32 compare_floats_at(__u32 kind, __u64 left, __u64 right) {
    __u64 a = 0, b = 0;
    __u32 width = kind == EQUAL_FLOAT32 ? 4 : 8;
    if (read_user(&a, width, left) || read_user(&b, width, right))
        return UNREADABLE_KEY;
    return compare_floats(kind, a, b);
}

/* One step of a comparison, other than of interfaces. */
static __always_inline __u32 compare_step(struct lookup *l, __u32 kind, __u32 size, __u64 left, __u64 right) {
    if (kind == EQUAL_MEMORY)
        return compare_bytes(l, left, right, size);
    if (kind == EQUAL_STRING)
        return compare_strings(l, left, right);
    return compare_floats_at(kind, left, right);
}

/*
 * runtime.efaceeq and ifaceeq: the type words must agree, then the values by their type's own equality. That
 * one goes on as the steps to do next, if it takes any.
 */
__noinline __u32 enter_interface(struct lookup *lookup, __u32 kind, __u64 left, __u64 right) {
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
static long compare_next(__u32 index __maybe_unused, struct lookup **self) {
    struct lookup *lookup = *self;
    struct steps_comparison *c = &lookup->steps;
    if (c->now.next == c->now.end) {
        if (c->nesting == 0)
            return 1;
        c->nesting--;
        c->now = c->nesting == 0 ? c->outer[0] : c->outer[1];
        return 0;
    }
    if (spend(lookup, 2)) {
        c->result = UNREADABLE_KEY;
        return 1;
    }
    __u32 at = c->now.next++, result;
    struct equal_step *step = bpf_map_lookup_elem(&equal_steps, &at);
    if (!step)
        return 1;
    __u64 left = c->now.left + step->offset, right = c->now.right + step->offset;
    if (step->kind == EQUAL_EFACE || step->kind == EQUAL_IFACE)
        result = enter_interface(lookup, step->kind, left, right);
    else
        result = compare_step(lookup, step->kind, step->size, left, right);
    barrier_var(lookup);
    lookup->steps.result = result;
    return result != EQUAL;
}

/* Any key whose equality is known, in the target's memory. */
static __always_inline __u32 compare_in_place(struct lookup *l, __u64 slot_key) {
    if (!l)
        return UNREADABLE_KEY;
    l->steps.nesting = 0;
    l->steps.result = EQUAL;
    l->steps.now.left = l->key;
    l->steps.now.right = slot_key;
    l->steps.now.next = l->info.equal_first;
    l->steps.now.end = l->info.equal_first + l->info.equal_count;
    /* Each step is paid for; going back from an interface's value is not, and there are as many of these at
     * most. */
    bpf_loop(2 * MAX_WORK, compare_next, &l, 0);
    return l->steps.result;
}

/* Memory of up to KEY_COPY bytes, both sides in the copies. */
static __always_inline __u32 compare_copied_memory(const struct lookup *l, __u32 left, __u32 right,
                                                   __u32 size) {
    for (__u32 i = 0; i < KEY_COPY && i < size; i += 8) {
        __u64 difference = copied_word(l, left + i) ^ copied_word(l, right + i);
        if (size - i < 8)
            difference &= (1ULL << (8 * (size - i) & 63)) - 1;
        if (difference)
            return DIFFERENT;
    }
    return EQUAL;
}

/*
 * One step, from the two values' places in the copies. A function of its own: within the loop over steps the
 * verifier would follow each of its paths once for each way the steps before it can end.
 */
__noinline __u32 compare_copied_step(struct lookup *l, __u32 kind, __u32 size, __u32 left, __u32 right) {
    if (!l)
        return UNREADABLE_KEY;
    if (kind == EQUAL_MEMORY)
        return compare_copied_memory(l, left, right, size);
    __u64 a = copied_word(l, left), b = copied_word(l, right);
    if (kind == EQUAL_FLOAT64)
        return compare_floats(kind, a, b);
    if (kind == EQUAL_FLOAT32)
        return compare_floats(kind, (__u32)a, (__u32)b);
    __u64 length = copied_word(l, left + 8);
    return length == copied_word(l, right + 8) ? compare_bytes(l, a, b, length) : DIFFERENT;
}

/*
 * A key of a few steps within KEY_COPY bytes, by copies: the looked-up key's is made here and serves for all
 * slots, the slot's begins at the offset `right` of the copies.
 */
__noinline __u32 compare_copies(struct lookup *l, __u32 right) {
    if (!l)
        return UNREADABLE_KEY;
    if (!l->has_key) {
        if (read_user(l->copies.key, within(l->info.copied_key, KEY_COPY + 1), l->key))
            return UNREADABLE_KEY;
        l->has_key = 1;
    }
    for (__u32 i = 0; i < COPIED_KEY_STEPS && i < l->info.equal_count; i++) {
        __u32 at = l->info.equal_first + i;
        const struct equal_step *step = bpf_map_lookup_elem(&equal_steps, &at);
        if (!step)
            return EQUAL;
        __u32 left = offsetof(struct copies, key) + step->offset;
        __u32 result = compare_copied_step(l, step->kind, step->size, left, right + step->offset);
        if (result != EQUAL)
            return result;
    }
    return EQUAL;
}
