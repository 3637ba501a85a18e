/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who asked for the lookup: the first return address that is not in a wrapper (runtime.mapaccess*_fat,
 * package reflect).
 */
#pragma once

#include "gomap/hit.bpf.h"
#include "lib/address_table.bpf.h"
#include "lib/memory.bpf.h"
#include "shared/site.h"

#define MAX_WRAPPERS 8

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
 * The link-time return address of the caller of a wrapper, given the one in the wrapper and the stack pointer
 * after that return. When the frames of wrappers cannot be read, the innermost is as good an answer as there
 * is.
 */
__noinline __u64 find_caller_of_wrapper(__u64 address, __u64 sp, __u64 bias) {
    for (int i = 0; i < MAX_WRAPPERS; i++) {
        const struct wrapper_frame *frame = find_wrapper(address);
        __u64 next;
        if (!frame || read_user(&next, sizeof(next), sp + frame->size))
            break;
        sp += frame->size + sizeof(next);
        address = next - bias;
    }
    return address;
}

/* The caller's link-time return address. */
static __always_inline __u64 find_caller(const struct lookup *l) {
    __u64 address = l->frame_words[0] - l->bias;
    const struct wrapper_frame *frame = find_wrapper(address);
    if (!frame)
        return address;
    __u64 sp = l->frame_at + sizeof(__u64);
    __u32 word = 1 + frame->size / sizeof(__u64);
    if (frame_is_wide && word < WIDE_FRAME_WORDS) {
        sp += frame->size + sizeof(__u64);
        address = l->frame_words[within(word, WIDE_FRAME_WORDS)] - l->bias;
        if (!find_wrapper(address))
            return address;
    }
    return find_caller_of_wrapper(address, sp, l->bias);
}
