/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Comparing memory of the target of any length, as runtime.memequal does.
 */
#pragma once

#include "gomap/hit.bpf.h"
#include "lib/memory.bpf.h"

enum comparison { DIFFERENT = 0, EQUAL = 1, UNREADABLE_KEY = 2 };

#define MAX_PIECES                                                                                           \
    (MAX_WORK / 2) /* keys are compared up to 128 KiB, and found equal, not surely, beyond that */

/* Reads the left piece, unless it is there already: a key is compared with more than one slot at times. Zeros
 * follow it, up to two words. */
static __always_inline long read_left_piece(struct lookup *l, __u64 address, __u32 size) {
    struct pieces *p = &l->pieces;
    if (p->left_at == address && p->left_size == size)
        return 0;
    p->left[1] = 0;
    p->left[within((size - 1) / 8, PIECE / 8)] = 0;
    p->left_at = address;
    p->left_size = size;
    if (!read_user(p->left, within(size, PIECE + 1), address))
        return 0;
    p->left_at = 0;
    return -1;
}

/* Compares the next piece of both; 1 ends the loop. */
static __always_inline long compare_next_piece(struct lookup *l) {
    struct pieces *p = &l->pieces;
    __u32 size = p->remaining < PIECE ? p->remaining : PIECE;
    p->right[within((size - 1) / 8, PIECE / 8)] = 0;
    if (spend(l, 1) || read_left_piece(l, p->left_next, size) ||
        read_user(p->right, within(size, PIECE + 1), p->right_next)) {
        p->result = UNREADABLE_KEY;
        return 1;
    }
    for (__u32 i = 0; i < PIECE / 8 && 8 * i < size; i++) {
        if (p->left[i] != p->right[i]) {
            p->result = DIFFERENT;
            return 1;
        }
    }
    p->left_next += size;
    p->right_next += size;
    p->remaining -= size;
    return p->remaining == 0;
}

static long visit_piece(__u32 index __maybe_unused, struct lookup **self) {
    return compare_next_piece(*self);
}

/* Compares memory at different addresses, of a length that is not 0. */
__noinline __u32 compare_pieces(struct lookup *l, __u64 left, __u64 right, __u64 length) {
    if (!l || length == 0)
        return UNREADABLE_KEY;
    struct pieces *p = &l->pieces;
    p->left_next = left;
    p->right_next = right;
    p->remaining = length;
    p->result = EQUAL;
    if (!compare_next_piece(l))
        bpf_loop(MAX_PIECES - 1, visit_piece, &l, 0);
    if (p->result == EQUAL && p->remaining != 0)
        l->inexact = INEXACT_LONG_KEY;
    return p->result;
}

/* Equal addresses are equal without a look. */
static __always_inline __u32 compare_bytes(struct lookup *l, __u64 left, __u64 right, __u64 length) {
    return left == right || length == 0 ? EQUAL : compare_pieces(l, left, right, length);
}
