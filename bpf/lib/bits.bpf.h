/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Byte-wise matching within a word, as the control words of Swiss maps and the tophash words of classic
 * buckets need it.
 */
#pragma once

#include "lib/common.bpf.h"

#define EACH_BYTE 0x0101010101010101ULL
#define LOW_BITS 0x7f7f7f7f7f7f7f7fULL

/* 0x80 in every byte of `word` that equals `byte`, 0 elsewhere; exact, as the SIMD match on amd64 is. */
static __always_inline __u64 match_byte(__u64 word, __u8 byte) {
    __u64 difference = word ^ (EACH_BYTE * byte);
    return ~(((difference & LOW_BITS) + LOW_BITS) | difference | LOW_BITS);
}

/* Index of the lowest matching byte; `matches` is not 0. */
static __always_inline __u32 first_match(__u64 matches) {
    __u64 below = (matches & -matches) - 1;
    return (__u32)((((below & EACH_BYTE) * EACH_BYTE) >> 56) - 1) & 7;
}

static __always_inline __u64 without_first_match(__u64 matches) { return matches & (matches - 1); }

/* The number of matching bytes. */
static __always_inline __u32 count_matches(__u64 matches) {
    return (__u32)((((matches >> 7) & EACH_BYTE) * EACH_BYTE) >> 56);
}
