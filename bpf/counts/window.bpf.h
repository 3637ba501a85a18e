/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each CPU's counters, the gate of a window with its hit limit, and how long decoding takes.
 */
#pragma once

#include "counts/aggregate.bpf.h"
#include "gomap/target.bpf.h"
#include "lib/image.bpf.h"
#include "shared/window.h"

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct cpu_state);
} cpu_states SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct window_gate);
} window_gates SEC(".maps");

/* A message per window at most, and read at once. */
struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
} window_ends SEC(".maps");

static __always_inline struct cpu_state *this_cpu(void) {
    __u32 zero = 0;
    return bpf_map_lookup_elem(&cpu_states, &zero);
}

/* Ends the window, if no other CPU has done so, and wakes the thread that waits for that. */
__noinline int close_window(__u64 window) {
    __u32 zero = 0;
    struct window_gate *gate = bpf_map_lookup_elem(&window_gates, &zero);
    if (!gate || !__sync_val_compare_and_swap(&gate->open, 1, 0))
        return 0;
    struct window_end end = {.window = window, .time = bpf_ktime_get_ns()};
    bpf_ringbuf_output(&window_ends, &end, sizeof(end), BPF_RB_FORCE_WAKEUP);
    return 0;
}

/* Whether this hit is to be decoded. */
static __always_inline int window_is_open(struct cpu_state *cpu) {
    __u32 zero = 0;
    if (!layout.gated)
        return 1;
    struct window_gate *gate = bpf_map_lookup_elem(&window_gates, &zero);
    if (!gate || !gate->open || !image_goes_on())
        return 0;
    if (cpu->window != gate->window) {
        cpu->window = gate->window;
        cpu->window_hits = 0;
    }
    if (++cpu->window_hits >= gate->hit_limit)
        close_window(gate->window);
    return 1;
}
