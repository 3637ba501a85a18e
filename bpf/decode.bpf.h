/*
 * Decoding one lookup at a probe site: its arguments from where the planner proved them to be, then the
 * lookup once more on the target's memory.
 */
#pragma once

#include "classic.bpf.h"
#include "map_type.bpf.h"
#include "swiss.bpf.h"

/* Reads the arguments of the lookup. */
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
    return DECODED;
}

/* Fills the slot with what the lookup did. */
inline_always outcome decode(const struct pt_regs *regs, const volatile struct probe_site *site,
                             struct lookup *l) {
    outcome failure = read_arguments(regs, site, l);
    if (!failure)
        failure = find_map_type(l);
    if (failure)
        return failure;
    return layout.implementation == MAPS_SWISS ? look_up_swiss(l, site->map_is_storage) : look_up_classic(l);
}
