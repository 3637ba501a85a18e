/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading the registers of the thread that hit a probe site.
 */
#pragma once

#include "lib/common.bpf.h"

/*
 * The verifier wants a constant offset in each access to the context. The compiler would merge the accesses
 * below into one with a computed offset; it cannot look into an assembly statement.
 */
#define LOAD_REGISTER(value, regs, field)                                                                    \
    asm volatile("%0 = *(u64 *)(%1 + %2)" : "=r"(value) : "r"(regs), "i"(offsetof(struct pt_regs, field)))

/* A general register by its hardware number. */
static __always_inline __u64 read_register(const struct pt_regs *regs, __u8 number) {
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
