/*
 * Kernel interfaces the programs need. Only pt_regs and helpers: neither vmlinux.h nor kernel BTF on the
 * target.
 */
#pragma once

#include <stddef.h>

#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>

#include "records.h"

#define unused __attribute__((unused))

/*
 * Three kinds of functions, by what the verifier makes of them. `separate` ones it checks once, for any
 * arguments, which keeps the whole program within its limits; pointers they are given may be NULL for all it
 * knows. `called` ones it follows at each call. Calls and loop callbacks may nest eight deep, and their
 * stacks may add up to 512 bytes.
 */
#define separate __attribute__((noinline))
#define called static __attribute__((noinline))
#define inline_always static __attribute__((always_inline)) inline

/*
 * An index that the verifier can see to be within an array of `size`. The compiler is kept from looking
 * through it, since it would compare one copy of the value and use another.
 */
inline_always __u64 within(__u64 index, __u32 size) {
    asm volatile("" : "+r"(index));
    if (index >= size)
        index = size - 1;
    asm volatile("" : "+r"(index));
    return index;
}

/*
 * Has the compiler work out again what it has worked out from this pointer: addresses within what it points
 * to, which are an addition each, and which it would rather keep on the stack, where there is no room
 * (docs/design/0003).
 */
#define AGAIN(pointer) asm volatile("" : "+r"(pointer))
