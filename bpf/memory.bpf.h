/*
 * Reading the target's memory and registers.
 */
#pragma once

#include "target.bpf.h"

/*
 * Reads user memory; 0 on success. A page that is not present is faulted in where the program may sleep, as
 * the target itself would do a moment later. That helper is slower, and hardly ever needed.
 */
inline_always long read_user(void *to, __u32 size, __u64 address) {
    long failure = bpf_probe_read_user(to, size, (const void *)address);
#if SLEEPABLE
    if (failure)
        failure = bpf_copy_from_user(to, size, (const void *)address);
#endif
    return failure;
}

/*
 * The verifier wants a constant offset in each access to the context. The compiler would merge the accesses
 * below into one with a computed offset; it cannot look into an assembly statement.
 */
#define LOAD_REGISTER(value, regs, field)                                                                    \
    asm volatile("%0 = *(u64 *)(%1 + %2)" : "=r"(value) : "r"(regs), "i"(offsetof(struct pt_regs, field)))

/* A general register by its hardware number. */
inline_always __u64 read_register(const struct pt_regs *regs, __u8 number) {
    __u64 value;
    switch (number & 15) {
    case 0:
        LOAD_REGISTER(value, regs, rax);
        break;
    case 1:
        LOAD_REGISTER(value, regs, rcx);
        break;
    case 2:
        LOAD_REGISTER(value, regs, rdx);
        break;
    case 3:
        LOAD_REGISTER(value, regs, rbx);
        break;
    case 4:
        LOAD_REGISTER(value, regs, rsp);
        break;
    case 5:
        LOAD_REGISTER(value, regs, rbp);
        break;
    case 6:
        LOAD_REGISTER(value, regs, rsi);
        break;
    case 7:
        LOAD_REGISTER(value, regs, rdi);
        break;
    case 8:
        LOAD_REGISTER(value, regs, r8);
        break;
    case 9:
        LOAD_REGISTER(value, regs, r9);
        break;
    case 10:
        LOAD_REGISTER(value, regs, r10);
        break;
    case 11:
        LOAD_REGISTER(value, regs, r11);
        break;
    case 12:
        LOAD_REGISTER(value, regs, r12);
        break;
    case 13:
        LOAD_REGISTER(value, regs, r13);
        break;
    case 14:
        LOAD_REGISTER(value, regs, r14);
        break;
    default:
        LOAD_REGISTER(value, regs, r15);
        break;
    }
    return value;
}

/* The word at an offset of the copies, which need not be aligned. */
inline_always __u64 copied_word(const struct lookup *l, __u64 offset) {
    return *(const __u64 *)((const __u8 *)&l->copies + within(offset, sizeof(struct copies) - 7));
}

/* Reads a word of the stack that is not among the entry words, into l->stack_word; 0 on success. */
separate long read_stack_word(struct lookup *l, __u64 address) {
    __u64 word;
    if (!l || read_user(&word, sizeof(word), address))
        return -1;
    l->stack_word = word;
    return 0;
}

/* Fetches one value of a site from where the planner proved it to be; 0 on success. */
inline_always long read_value(const struct pt_regs *regs, const volatile struct probe_site *site,
                              const volatile struct value_location *location, struct lookup *l, __u64 *to) {
    AGAIN(l);
    if (location->home == HOME_REGISTER) {
        *to = read_register(regs, location->register_number) + location->addend;
        return 0;
    }
    __u32 word = (__u32)(location->stack_offset - (__s32)site->return_offset) / 8;
    if (word < entry_words_read()) {
        *to = l->entry[within(word, WIDE_ENTRY_WORDS)] + location->addend;
        return 0;
    }
    if (read_stack_word(l, regs->rsp + location->stack_offset))
        return -1;
    *to = l->stack_word + location->addend;
    return 0;
}
