/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel interfaces the programs need. Only pt_regs and helpers: neither vmlinux.h nor kernel BTF on the
 * target.
 */
#pragma once

#include <stddef.h>

#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>

/*
 * The kernel allows helpers such as bpf_probe_read_user() only to programs under the GPL. So the programs are
 * under it; the records in shared/ may be used under the Apache licence as well, for the addon includes them
 * too.
 */
char LICENSE[] SEC("license") = "GPL";

/* The kernel's word, which libbpf lacks. */
#define __maybe_unused __attribute__((unused))

/*
 * For what CPUs write in an array, each its own elements: no two are in one cache line. The kernel begins the
 * elements of an array that user space may map at a page's start, and those of others 24 bytes after a
 * line's.
 */
#define CACHE_LINE 64
#define LINE_ALIGNED __attribute__((aligned(CACHE_LINE)))
#define ALIGNED_ARRAY BPF_F_MMAPABLE

/*
 * What the verifier makes of functions. A global one, __noinline, it verifies once, for any arguments, which
 * keeps the whole program within its limits; pointers it is given may be NULL for all the verifier knows. A
 * static __noinline one it follows at each call. Calls and loop callbacks may nest eight deep, and their
 * stacks may add up to 512 bytes.
 */

/*
 * An index that the verifier can see to be within an array of `size`. The barriers hide the value from the
 * compiler, which would compare one copy of it and use another.
 */
static __always_inline __u64 within(__u64 index, __u32 size) {
    barrier_var(index);
    if (index >= size)
        index = size - 1;
    barrier_var(index);
    return index;
}

/*
 * libbpf's barrier_var(pointer) stands where the compiler would derive addresses from the pointer once, which
 * are an addition each, and spill them to the stack, where there is no room (docs/design/0003): after the
 * barrier it must derive them anew.
 */
