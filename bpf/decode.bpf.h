/*
 * Decoding one lookup at a probe site: its arguments from where the planner proved them to be, then the
 * lookup once more on the target's memory.
 */
#pragma once

#include "classic.bpf.h"
#include "map_type.bpf.h"
#include "swiss.bpf.h"

/*
 * Reads the entry words; 0 on success. They are read onto the stack, for which the kernel's check of where a
 * copy goes is cheapest; the wide ones have no room there.
 */
inline_always long read_entry(struct lookup *l) {
    __u64 entry[ENTRY_WORDS];
    if (entry_is_wide)
        return read_user(l->entry, sizeof(l->entry), l->entry_at);
    if (read_user(entry, sizeof(entry), l->entry_at))
        return -1;
    __builtin_memcpy(l->entry, entry, sizeof(entry));
    return 0;
}

/* Reads the arguments of the lookup. A function of its own, for its stack. */
called outcome read_arguments(const struct pt_regs *regs, const volatile struct probe_site *site,
                              struct lookup *l) {
    l->function = site->lookup_function;
    l->entry_at = regs->rsp + site->return_offset;
    if (read_entry(l))
        return COUNTER_UNREADABLE_STACK;
    l->bias = regs->rip - site->address;
    l->g = regs->r14;
    l->key_class = site->key_class;
    l->has_hash = site->has_hash;
    l->map_is_storage = site->map_is_storage;
    if (read_value(regs, site, &site->type, l, &l->type) || read_value(regs, site, &site->map, l, &l->map) ||
        read_value(regs, site, &site->key, l, &l->key))
        return COUNTER_UNREADABLE_STACK;
    if (l->key_class == KEY_STRING && read_value(regs, site, &site->key_length, l, &l->key_length))
        return COUNTER_UNREADABLE_STACK;
    if (l->has_hash && read_value(regs, site, &site->hash, l, &l->hash))
        return COUNTER_UNREADABLE_STACK;
    if (l->key_class == KEY_BYTES32)
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
    return layout.implementation == MAPS_SWISS ? look_up_swiss(l) : look_up_classic(l);
}
