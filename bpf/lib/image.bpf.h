/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The image that is observed: what the process executes. When it executes another program, its goroutines,
 * spans, types and hash keys are others, and what hits count from then on belongs to nobody here.
 */
#pragma once

#include "lib/common.bpf.h"
#include "shared/window.h"

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct observed_image);
} observed_images SEC(".maps");

/* Whether the process still executes what is observed. To be asked at each hit: the first one says which
 * process that is. */
static __always_inline int image_goes_on(void) {
    __u32 zero = 0;
    struct observed_image *image = bpf_map_lookup_elem(&observed_images, &zero);
    if (!image || image->has_ended)
        return 0;
    if (!image->process)
        image->process = bpf_get_current_pid_tgid() >> 32;
    return 1;
}

/* Any process has executed a program, and has not run an instruction of it yet. */
SEC("raw_tp/sched_process_exec")
int end_image(void *context) {
    (void)context;
    __u32 zero = 0;
    struct observed_image *image = bpf_map_lookup_elem(&observed_images, &zero);
    if (image && image->process == bpf_get_current_pid_tgid() >> 32)
        image->has_ended = 1;
    return 0;
}
