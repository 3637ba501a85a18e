/*
 * What lookups that have been decoded are expected to return, and how many have been checked.
 */
#pragma once

#include "verify_slot.bpf.h"
#include "work.bpf.h"

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

/* Additions are atomic: a thread can be taken off its CPU in the middle of the program. */
separate int count_outcome(__u32 function, __u32 end) {
    struct verify_counts *counts = bpf_map_lookup_elem(&verify_results, &function);
    if (counts && end < VERIFY_OUTCOMES)
        __sync_fetch_and_add(&counts->count[end], 1);
    return 0;
}

inline_always int enough_checked(__u32 function) {
    struct function_progress *progress = bpf_map_lookup_elem(&verify_progress, &function);
    return !progress || progress->checked >= verify_layout.lookups;
}

/* Whether one more lookup is to be checked. */
inline_always int claim_check(__u32 function) {
    struct function_progress *progress = bpf_map_lookup_elem(&verify_progress, &function);
    return progress && __sync_fetch_and_add(&progress->checked, 1) < verify_layout.lookups;
}

/* 0: nothing is to be predicted or checked. */
inline_always __u64 current_generation(void) {
    __u32 zero = 0;
    struct verify_control *control = bpf_map_lookup_elem(&verify_controls, &zero);
    return control ? control->generation : 0;
}

/* runtime.g begins with the bounds of its stack, and R14 holds g in all Go code (ABIInternal). */
struct goroutine_stack {
    __u64 low;
    __u64 high;
};

/* Working memory of verification, beside that of the lookup: with the same number as its slot. */
struct verify_work {
    struct prediction prediction;
    struct goroutine_stack stack;
    struct frame frame;
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, SLOTS);
    __type(key, __u32);
    __type(value, struct verify_work);
} verify_works SEC(".maps");

inline_always struct verify_work *work_of(const struct lookup *l) {
    __u32 slot = l->slot;
    return bpf_map_lookup_elem(&verify_works, &slot);
}

/* Names the frame whose return address is at `home`; 0 on success. */
separate int name_frame(struct verify_work *work, __u64 goroutine, __u64 home) {
    struct goroutine_stack stack;
    if (!work || read_user(&stack, sizeof(stack), goroutine))
        return -1;
    work->stack = stack;
    work->frame.goroutine = goroutine;
    work->frame.depth = stack.high - home;
    return 0;
}

/* Keeps what the lookup should return; its return address is at `home`. */
separate __u32 remember(struct lookup *l, __u64 goroutine, __u64 home, __u32 function) {
    if (!l)
        return VERIFY_UNREADABLE;
    struct verify_work *work = work_of(l);
    if (!work || name_frame(work, goroutine, home))
        return VERIFY_UNREADABLE;
    struct prediction *p = &work->prediction;
    if (find_slot(l, &p->key, &p->elem))
        return VERIFY_UNREADABLE;
    p->generation = current_generation();
    p->return_address = l->entry[0];
    p->type = l->name.type;
    p->bias = l->bias;
    p->stack_low = work->stack.low;
    p->stack_high = work->stack.high;
    p->function = function;
    p->failed = 0;
    return bpf_map_update_elem(&predictions, &work->frame, p, BPF_ANY) ? VERIFY_NO_ROOM : VERIFY_PREDICTED;
}

/* An address on the stack has moved with it. */
inline_always __u64 moved_with_stack(__u64 address, const struct prediction *p, __u64 high) {
    return address >= p->stack_low && address < p->stack_high ? address + (high - p->stack_high) : address;
}

/*
 * The prediction for the function that is about to return, at whose return address SP points, into
 * work->prediction. 0 when there is none: a lookup in an empty map, or one that began before this attachment.
 *
 * A lookup that panics never returns. What it leaves behind is recognised by its caller and function.
 */
separate int take_prediction(struct verify_work *work, __u64 goroutine, __u64 home) {
    __u64 generation = current_generation(), return_address;
    if (!work || !generation || name_frame(work, goroutine, home) ||
        read_user(&return_address, sizeof(return_address), home))
        return 0;
    const struct prediction *found = bpf_map_lookup_elem(&predictions, &work->frame);
    if (!found)
        return 0;
    struct prediction *p = &work->prediction;
    *p = *found;
    bpf_map_delete_elem(&predictions, &work->frame);
    if (p->generation != generation)
        return 0;
    p->failed = p->return_address != return_address;
    p->elem = moved_with_stack(p->elem, p, work->stack.high);
    p->key = moved_with_stack(p->key, p, work->stack.high);
    return 1;
}
