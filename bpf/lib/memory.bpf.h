/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading the target's memory.
 */
#pragma once

#include "lib/common.bpf.h"

/*
 * Whether the program may sleep, which uprobes' programs may from Linux 6.0 on. The build makes two objects
 * of a program that should where it can: NAME_sleepable, in which memory that is not present is faulted in,
 * as the target itself would a moment later, so that no lookup is unreadable for that reason; and NAME_atomic
 * for older kernels, where it makes a lookup unreadable.
 */
#ifndef SLEEPABLE
#error "define SLEEPABLE as 0 or 1: in the program, or in src/setup/bpf-objects.mjs for both"
#endif

/* Reads user memory; 0 on success. The helper that faults pages in is slower, and hardly ever needed. */
static __always_inline long read_user(void *to, __u32 size, __u64 address) {
    long failure = bpf_probe_read_user(to, size, (const void *)address);
#if SLEEPABLE
    if (failure)
        failure = bpf_copy_from_user(to, size, (const void *)address);
#endif
    return failure;
}
