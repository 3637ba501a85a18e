/*
 * Who asked for the lookup: the first return address that is not in a wrapper (runtime.mapaccess*_fat,
 * package reflect).
 */
#pragma once

#include "memory.bpf.h"

#define MAX_WRAPPERS 8

/* Return address within a wrapper -> bytes from SP after that return to the wrapper's own return address
 * (pcsp). */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 1);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, __u64);
    __type(value, __u32);
} wrappers SEC(".maps");

/* A bit per hash of a known return address: most callers are no wrappers, and are told so without a map
 * lookup. */
inline_always int may_be_wrapper(__u64 address) {
    __u32 bit = (address * HASH_MULTIPLIER) >> 52;
    return wrapper_filter[(bit >> 6) & (WRAPPER_FILTER_WORDS - 1)] >> (bit & 63) & 1;
}

/*
 * The link-time return address of the caller of a wrapper, given the innermost one and the stack pointer
 * after that return. When the frames of wrappers cannot be read, the innermost is as good an answer as there
 * is.
 */
separate __u64 find_caller_of_wrapper(__u64 address, __u64 sp, __u64 bias) {
    for (int i = 0; i < MAX_WRAPPERS; i++) {
        if (!may_be_wrapper(address))
            break;
        __u32 *frame = bpf_map_lookup_elem(&wrappers, &address);
        __u64 next;
        if (!frame || read_user(&next, sizeof(next), sp + *frame))
            break;
        sp += *frame + sizeof(next);
        address = next - bias;
    }
    return address;
}

/* The caller's link-time return address, given the innermost one and the stack pointer after that return. */
inline_always __u64 find_caller(__u64 return_address, __u64 sp, __u64 bias) {
    __u64 address = return_address - bias;
    return may_be_wrapper(address) ? find_caller_of_wrapper(address, sp, bias) : address;
}
