/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Goroutines (struct g in src/runtime/runtime2.go): which one a thread works for.
 */
#pragma once

#include "gomap/target.bpf.h"
#include "lib/memory.bpf.h"

/* The goroutine that the thread works for: on a system stack that is the one it came from. 0 when there is
 * none. */
__noinline __u64 user_goroutine(__u64 g) {
    __u64 id, machine, current;
    if (read_user(&id, sizeof(id), g + goroutines.goid))
        return 0;
    if (id)
        return g;
    if (read_user(&machine, sizeof(machine), g + goroutines.machine) ||
        read_user(&current, sizeof(current), machine + goroutines.current))
        return 0;
    return current;
}

/* goroutine_id() of a thread that is on a system stack. */
__noinline __u64 goroutine_id_behind(__u64 g) {
    __u64 id;
    g = user_goroutine(g);
    return g && !read_user(&id, sizeof(id), g + goroutines.goid) ? id : 0;
}

/* The id of the goroutine that a thread works for, from its g; 0 when it works for none. */
static __always_inline __u64 goroutine_id(__u64 g) {
    __u64 id;
    if (read_user(&id, sizeof(id), g + goroutines.goid))
        return 0;
    return id ? id : goroutine_id_behind(g);
}
