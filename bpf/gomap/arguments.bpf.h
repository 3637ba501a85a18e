/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The arguments of a lookup, from where the planner proved them to be.
 */
#pragma once

#include "gomap/hit.bpf.h"
#include "gomap/outcome.bpf.h"
#include "lib/memory.bpf.h"
#include "lib/registers.bpf.h"
#include "shared/site.h"

/*
 * Reads the frame words; 0 on success. They are read onto the stack, for which the kernel's check of where a
 * copy goes is cheapest; the wide ones have no room there.
 */
static __always_inline long read_frame_words(struct lookup *l) {
    __u64 words[FRAME_WORDS];
    if (frame_is_wide)
        return read_user(l->frame_words, sizeof(l->frame_words), l->frame_at);
    if (read_user(words, sizeof(words), l->frame_at))
        return -1;
    __builtin_memcpy(l->frame_words, words, sizeof(words));
    return 0;
}

/* Reads a word of the stack that is not among the frame words, into l->stack_word; 0 on success. */
__noinline long read_stack_word(struct lookup *l, __u64 address) {
    __u64 word;
    if (!l || read_user(&word, sizeof(word), address))
        return -1;
    l->stack_word = word;
    return 0;
}

/* Fetches one value of a site from where the planner proved it to be; 0 on success. */
static __always_inline long read_value(const struct pt_regs *regs, const volatile struct probe_site *site,
                                       const volatile struct value_location *location, struct lookup *l,
                                       __u64 *to) {
    barrier_var(l);
    if (location->home == HOME_REGISTER) {
        *to = read_register(regs, location->register_number) + location->addend;
        return 0;
    }
    __u32 word = (__u32)(location->stack_offset - (__s32)site->return_offset) / 8;
    if (word < frame_words_read()) {
        *to = l->frame_words[within(word, WIDE_FRAME_WORDS)] + location->addend;
        return 0;
    }
    if (read_stack_word(l, regs->rsp + location->stack_offset))
        return -1;
    *to = l->stack_word + location->addend;
    return 0;
}

/* Reads the arguments of the lookup. A function of its own, for its stack. */
static __noinline outcome read_arguments(const struct pt_regs *regs, const volatile struct probe_site *site,
                                         struct lookup *l) {
    l->function = site->lookup_function;
    l->frame_at = regs->rsp + site->return_offset;
    if (read_frame_words(l))
        return COUNTER_UNREADABLE_STACK;
    l->bias = regs->rip - site->address;
    l->g = regs->r14;
    l->key_class = site->key_class;
    l->hash_known = site->hash_known;
    l->map_is_storage = site->map_is_storage;
    if (read_value(regs, site, &site->type, l, &l->type) || read_value(regs, site, &site->map, l, &l->map) ||
        read_value(regs, site, &site->key, l, &l->key))
        return COUNTER_UNREADABLE_STACK;
    if (l->key_class == KEY_STRING && read_value(regs, site, &site->key_length, l, &l->key_length))
        return COUNTER_UNREADABLE_STACK;
    if (l->hash_known && read_value(regs, site, &site->hash, l, &l->hash))
        return COUNTER_UNREADABLE_STACK;
    if (l->key_class == KEY_BYTES32)
        l->key = (__u32)l->key;
    return DECODED;
}
