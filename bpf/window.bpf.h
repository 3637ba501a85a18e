/*
 * The hit limit of a window: user space raises the generation when it attaches, each CPU counts its own hits.
 */
#pragma once

#include "common.bpf.h"

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct window_control);
} window_controls SEC(".maps");

struct cpu_window {
    __u64 generation;
    __u64 hits;
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct cpu_window);
} cpu_windows SEC(".maps");

inline_always int window_is_open(void) {
    __u32 zero = 0;
    struct window_control *control = bpf_map_lookup_elem(&window_controls, &zero);
    struct cpu_window *mine = bpf_map_lookup_elem(&cpu_windows, &zero);
    if (!control || !mine || control->hit_limit == 0)
        return 1;
    if (mine->generation != control->generation) {
        mine->generation = control->generation;
        mine->hits = 0;
    }
    return mine->hits++ < control->hit_limit;
}
