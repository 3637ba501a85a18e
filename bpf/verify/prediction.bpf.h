/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What lookups that have been decoded are expected to return, and how many have been checked.
 */
#pragma once

#include "gomap/hit.bpf.h"
#include "shared/verify.h"
#include "verify/element.bpf.h"

const volatile struct verify_layout verify_layout;
const volatile struct verified_function verified_functions[MAX_LOOKUP_FUNCTIONS];

/*
 * A frame of a goroutine, named so that it keeps its name when the stack is copied to another place: frames
 * keep their distance from the stack's upper end. Signal handlers and system stacks are goroutines of their
 * own here.
 */
struct frame {
    __u64 goroutine;
    __u64 depth; /* of the lookup function's return address, from the stack's upper end */
};

struct prediction {
    __u64 generation;
    __u64 return_address;
    __u64 type; /* link-time address, or the absolute one with RUNTIME_TYPE set */
    __u64 bias;
    __u64 elem; /* 0: a miss */
    __u64 key;
    __u64 stack_low; /* the stack when this was predicted */
    __u64 stack_high;
    __u32 function;
    __u32 failed; /* another lookup was found in its place */
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, MAX_PREDICTIONS);
    __type(key, struct frame);
    __type(value, struct prediction);
} predictions SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct verify_control);
} verify_controls SEC(".maps");

/* Of one lookup function, on all CPUs together: what is wanted is an exact number of lookups. */
struct function_progress {
    __u64 checked;
    __u64 disagreed;
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, MAX_LOOKUP_FUNCTIONS);
    __type(key, __u32);
    __type(value, struct function_progress);
} verify_progress SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, MAX_LOOKUP_FUNCTIONS);
    __type(key, __u32);
    __type(value, struct verify_counts);
} verify_results SEC(".maps");

/* Additions are atomic: a thread can be preempted in the middle of the program. */
__noinline int count_outcome(__u32 function, __u32 end) {
    struct verify_counts *counts = bpf_map_lookup_elem(&verify_results, &function);
    if (counts && end < VERIFY_OUTCOMES)
        __sync_fetch_and_add(&counts->count[end], 1);
    return 0;
}

static __always_inline int enough_checked(__u32 function) {
    struct function_progress *progress = bpf_map_lookup_elem(&verify_progress, &function);
    return !progress || progress->checked >= verify_layout.lookups;
}

/* Whether one more lookup is to be checked. */
static __always_inline int claim_check(__u32 function) {
    struct function_progress *progress = bpf_map_lookup_elem(&verify_progress, &function);
    return progress && __sync_fetch_and_add(&progress->checked, 1) < verify_layout.lookups;
}

/* 0: nothing is to be predicted or checked. */
static __always_inline __u64 current_generation(void) {
    __u32 zero = 0;
    struct verify_control *control = bpf_map_lookup_elem(&verify_controls, &zero);
    return control ? control->generation : 0;
}

/* runtime.g begins with the bounds of its stack, and R14 holds g in all Go code (ABIInternal). */
struct goroutine_stack {
    __u64 low;
    __u64 high;
};

/* Scratch of verification, beside that of the lookup: with the same number. */
struct verify_scratch {
    struct prediction prediction;
    struct goroutine_stack stack;
    struct frame frame;
} LINE_ALIGNED;

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __uint(map_flags, ALIGNED_ARRAY);
    __type(key, __u32);
    __type(value, struct verify_scratch);
} verify_scratches SEC(".maps");

static __always_inline struct verify_scratch *scratch_of(const struct lookup *l) {
    __u32 number = l->scratch.number;
    return bpf_map_lookup_elem(&verify_scratches, &number);
}

/* Names the frame whose return address is at `frame_at`; 0 on success. */
__noinline int name_frame(struct verify_scratch *scratch, __u64 goroutine, __u64 frame_at) {
    struct goroutine_stack stack;
    if (!scratch || read_user(&stack, sizeof(stack), goroutine))
        return -1;
    scratch->stack = stack;
    scratch->frame.goroutine = goroutine;
    scratch->frame.depth = stack.high - frame_at;
    return 0;
}

/* Records what the lookup should return; its return address is at `frame_at`. */
__noinline __u32 remember(struct lookup *l, __u64 goroutine, __u64 frame_at, __u32 function) {
    if (!l)
        return VERIFY_UNREADABLE;
    struct verify_scratch *scratch = scratch_of(l);
    if (!scratch || name_frame(scratch, goroutine, frame_at))
        return VERIFY_UNREADABLE;
    struct prediction *p = &scratch->prediction;
    if (find_slot(l, &p->key, &p->elem))
        return VERIFY_UNREADABLE;
    p->generation = current_generation();
    p->return_address = l->frame_words[0];
    p->type = l->name.type;
    p->bias = l->bias;
    p->stack_low = scratch->stack.low;
    p->stack_high = scratch->stack.high;
    p->function = function;
    p->failed = 0;
    return bpf_map_update_elem(&predictions, &scratch->frame, p, BPF_ANY) ? VERIFY_NO_ROOM : VERIFY_PREDICTED;
}

/* An address on the stack has moved with it. */
static __always_inline __u64 moved_with_stack(__u64 address, const struct prediction *p, __u64 high) {
    return address >= p->stack_low && address < p->stack_high ? address + (high - p->stack_high) : address;
}

/*
 * The prediction for the function that is about to return, at whose return address SP points, into the
 * scratch's prediction. 0 when there is none: a lookup in an empty map, or one that began before this
 * attachment.
 *
 * A lookup that panics never returns. What it leaves behind is recognised by its caller and function.
 */
__noinline int take_prediction(const struct lookup *l, __u64 goroutine, __u64 frame_at) {
    __u64 generation = current_generation(), return_address;
    struct verify_scratch *scratch = l ? scratch_of(l) : NULL;
    if (!scratch || !generation || name_frame(scratch, goroutine, frame_at) ||
        read_user(&return_address, sizeof(return_address), frame_at))
        return 0;
    const struct prediction *found = bpf_map_lookup_elem(&predictions, &scratch->frame);
    if (!found)
        return 0;
    struct prediction *p = &scratch->prediction;
    *p = *found;
    bpf_map_delete_elem(&predictions, &scratch->frame);
    if (p->generation != generation)
        return 0;
    p->failed = p->return_address != return_address;
    p->elem = moved_with_stack(p->elem, p, scratch->stack.high);
    p->key = moved_with_stack(p->key, p, scratch->stack.high);
    return 1;
}
