/*
 * The program behind every probe site: it takes a lookup's arguments from where the planner proved them to
 * be, performs the lookup once more on the target's memory, and counts what it found.
 */
#pragma once

#include "aggregate.bpf.h"
#include "caller.bpf.h"
#include "classic.bpf.h"
#include "exemplar.bpf.h"
#include "map_type.bpf.h"
#include "swiss.bpf.h"
#include "window.bpf.h"
#include "work.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Reads the arguments of the lookup and who asked for it. */
inline_always outcome read_arguments(const struct pt_regs *regs, const volatile struct probe_site *site,
                                     struct lookup *l) {
    __u32 return_offset = site->return_offset;
    __u64 frame = regs->rsp + return_offset;
    l->bias = regs->rip - site->address;
    l->g = regs->r14;
    l->key_class = site->key_class;
    l->has_hash = site->has_hash;
    if (read_entry(l, frame))
        return COUNTER_UNREADABLE_STACK;
    if (read_value(regs, &site->type, l, return_offset, &l->type) ||
        read_value(regs, &site->map, l, return_offset, &l->map) ||
        read_value(regs, &site->key, l, return_offset, &l->key))
        return COUNTER_UNREADABLE_STACK;
    if (site->key_class == KEY_STRING &&
        read_value(regs, &site->key_length, l, return_offset, &l->key_length))
        return COUNTER_UNREADABLE_STACK;
    if (site->has_hash && read_value(regs, &site->hash, l, return_offset, &l->hash))
        return COUNTER_UNREADABLE_STACK;
    if (site->key_class == KEY_BYTES32)
        l->key = (__u32)l->key;
    l->name.caller = find_caller(l->entry.word[0], frame + sizeof(__u64), l->bias);
    return DECODED;
}

/* Counts a decoded lookup in its aggregate. */
separate outcome record(struct lookup *l) {
    if (!l)
        return COUNTER_DROPPED_TABLE_FULL;
    struct lookup_key name = l->name;
    struct lookup_stats *stats = find_or_create(&name);
    if (!stats)
        return COUNTER_DROPPED_TABLE_FULL;
    count_lookup(l, stats);
    if (goroutines.with_exemplars)
        offer_exemplar(l, stats);
    return DECODED;
}

inline_always outcome observe(struct pt_regs *regs, struct lookup *l) {
    __u64 cookie = bpf_get_attach_cookie(regs);
    const volatile struct probe_site *site = &probe_sites[cookie & (MAX_PROBE_SITES - 1)];
    outcome failure = read_arguments(regs, site, l);
    if (!failure)
        failure = find_map_type(l);
    if (!failure)
        failure =
            layout.implementation == MAPS_SWISS ? look_up_swiss(l, site->map_is_storage) : look_up_classic(l);
    if (failure)
        return failure;
    l->name.caller |= (__u64)site->lookup_function << CALLER_FUNCTION_SHIFT | (__u64)l->hit
                                                                                  << CALLER_HIT_SHIFT;
    return record(l);
}

inline_always outcome observe_in_slot(struct pt_regs *regs) {
    struct lookup *l = take_slot();
    if (!l)
        return COUNTER_DROPPED_NO_SLOT;
    outcome failure = observe(regs, l);
    return_slot(l);
    return failure;
}

SEC("uprobe")
int lookup(struct pt_regs *regs) {
    struct cpu_state *cpu = this_cpu();
    if (!cpu)
        return 0;
    add(&cpu->counters[COUNTER_HITS], 1);
    outcome failure = window_is_open(cpu) ? observe_in_slot(regs) : COUNTER_WINDOW_CLOSED;
    if (failure)
        add(&cpu->counters[within(failure, COUNTER_COUNT)], 1);
    return 0;
}
