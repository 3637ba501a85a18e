/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who asked for the lookup: the first return address that is not in a wrapper (runtime.mapaccess*_fat,
 * package reflect).
 */
#pragma once

#include "gomap/hit.bpf.h"
#include "gomap/outcome.bpf.h"
#include "lib/address_table.bpf.h"
#include "lib/memory.bpf.h"
#include "shared/site.h"

/* By return address within a wrapper: every caller is looked up here. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct wrapper_frame);
} wrappers SEC(".maps");

_Static_assert(offsetof(struct wrapper_frame, address) == 0, "a place of a table begins with its address");

const volatile __u32 wrapper_places; /* of the table: a power of two */

/* The wrapper that this return address is in; NULL when it is in none. */
static __always_inline const struct wrapper_frame *find_wrapper(__u64 address) {
    return find_address(&wrappers, wrapper_places, address);
}

/*
 * Goes up from one wrapper; 1 ends the walk: it has left the wrappers, or cannot go on. Wrappers that call
 * one another make as many frames as values are nested (reflect.DeepEqual), so each is paid for.
 */
static long leave_next_wrapper(__u32 index __maybe_unused, struct lookup **self) {
    struct lookup *l = *self;
    struct wrapper_walk *walk = &l->walk;
    const struct wrapper_frame *frame = find_wrapper(walk->address);
    __u64 next;
    if (!frame)
        return 1;
    walk->sp += frame->size;
    if (spend(l, 1) || read_user(&next, sizeof(next), walk->sp)) {
        walk->failure = COUNTER_UNREADABLE_STACK;
        return 1;
    }
    walk->sp += sizeof(next);
    walk->address = next - l->bias;
    return 0;
}

/* Most lookups come through few wrappers, which are left without a call for each, and paid for when there are
 * more. */
#define NEAR_WRAPPERS 8

/* Walks up to the first frame that is in no wrapper. */
__noinline outcome leave_wrappers(struct lookup *l) {
    if (!l)
        return COUNTER_UNREADABLE_STACK;
    __u64 address = l->walk.address, sp = l->walk.sp;
    for (int i = 0; i < NEAR_WRAPPERS; i++) {
        const struct wrapper_frame *frame = find_wrapper(address);
        __u64 next;
        if (!frame) {
            l->walk.address = address;
            return DECODED;
        }
        sp += frame->size;
        if (read_user(&next, sizeof(next), sp))
            return COUNTER_UNREADABLE_STACK;
        sp += sizeof(next);
        address = next - l->bias;
    }
    l->walk.address = address;
    l->walk.sp = sp;
    l->walk.failure = DECODED;
    /* With these paid for, what may be spent ends before the loop does. */
    l->work += NEAR_WRAPPERS;
    bpf_loop(MAX_WORK, leave_next_wrapper, &l, 0);
    return has_overspent(l) ? COUNTER_DROPPED_TOO_MUCH_WORK : l->walk.failure;
}

/* Finds the caller's link-time return address. */
static __always_inline outcome find_caller(struct lookup *l, __u64 *caller) {
    __u64 address = l->frame_words[0] - l->bias;
    const struct wrapper_frame *frame = find_wrapper(address);
    *caller = address;
    if (!frame)
        return DECODED;
    __u64 sp = l->frame_at + sizeof(__u64);
    __u32 word = 1 + frame->size / sizeof(__u64);
    if (frame_is_wide && word < WIDE_FRAME_WORDS) {
        sp += frame->size + sizeof(__u64);
        address = l->frame_words[within(word, WIDE_FRAME_WORDS)] - l->bias;
        *caller = address;
        if (!find_wrapper(address))
            return DECODED;
    }
    l->walk.address = address;
    l->walk.sp = sp;
    outcome failure = leave_wrappers(l);
    *caller = l->walk.address;
    return failure;
}
