/*
 * Each CPU's counters, and the hit limit of a window: user space raises the generation when it attaches, each
 * CPU counts its own hits.
 */
#pragma once

#include "target.bpf.h"

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
    __type(value, struct window_control);
} window_controls SEC(".maps");

inline_always struct cpu_state *this_cpu(void) {
    __u32 zero = 0;
    return bpf_map_lookup_elem(&cpu_states, &zero);
}

/* Whether this window may take another hit on this CPU. */
inline_always int window_is_open(struct cpu_state *cpu) {
    __u32 zero = 0;
    if (!layout.limits_hits)
        return 1;
    struct window_control *control = bpf_map_lookup_elem(&window_controls, &zero);
    if (!control || control->hit_limit == 0)
        return 1;
    if (cpu->window != control->generation) {
        cpu->window = control->generation;
        cpu->window_hits = 0;
    }
    return cpu->window_hits++ < control->hit_limit;
}
