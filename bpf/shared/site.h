/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Probe sites: where a breakpoint is, and where a lookup's arguments are found when it is hit.
 *
 * Addresses are link-time virtual addresses (what the ELF file says), also for position-independent targets:
 * the BPF program learns the load bias of a hit from the instruction pointer and the address of the probe
 * site.
 */
#ifndef MAPSCOPE_SHARED_SITE_H
#define MAPSCOPE_SHARED_SITE_H

#include <linux/types.h>

enum site_limits {
    /* Probe sites that one target may have. Go 1.27 needs 9, a classic binary with every variant 21. */
    MAX_PROBE_SITES = 64,
    /* Bytes of a page of code: load biases are multiples of it. */
    PAGE_BYTES = 4096,
};

/* What kind of key a lookup function takes. */
enum key_class {
    KEY_BYTES32 = 0, /* mapaccess*_fast32: the key by value, 4 bytes */
    KEY_BYTES64 = 1, /* mapaccess*_fast64: the key by value, 8 bytes */
    KEY_STRING = 2,  /* mapaccess*_faststr: pointer and length */
    KEY_POINTER = 3, /* mapaccess1, mapaccess2, mapaccessK: a pointer to a key of the type's own equality */
};

/* Where a value is found when a probe site is hit. */
enum value_home {
    HOME_NONE = 0,
    HOME_REGISTER = 1, /* register + addend */
    HOME_STACK = 2,    /* the word at SP + stack_offset, + addend */
};

/* Registers by their x86-64 hardware number (rax 0, rcx 1, rdx 2, rbx 3, rsp 4, rbp 5, rsi 6, rdi 7,
 * r8..r15). */
struct value_location {
    __u8 home;
    __u8 register_number;
    __u8 pad[2];
    __s32 stack_offset;
    __s64 addend;
};

/* What is known of the key's hash at a site. */
enum site_hash {
    HASH_UNKNOWN = 0, /* the path computes none */
    HASH_KNOWN = 1,
    /* Known, and lookups in a map of one bucket come here only when another site of the function has deferred
       them. */
    HASH_KNOWN_RESUMES = 2,
};

/* One breakpoint, and how to read a lookup from the state of the thread that hit it. */
struct probe_site {
    __u64 address;        /* of the probed instruction */
    __u32 return_offset;  /* SP + this is the return address of the lookup function */
    __u8 key_class;       /* enum key_class */
    __u8 hash_known;      /* enum site_hash */
    __u8 map_is_storage;  /* `map` holds the map's first group or bucket, not its header */
    __u8 lookup_function; /* index into the session's list of lookup functions */
    struct value_location type;
    struct value_location map;
    struct value_location key;
    struct value_location key_length;
    struct value_location hash;
};

/* A place of the table `wrappers`. */
struct wrapper_frame {
    __u64 address; /* return address within the wrapper */
    __u32 size;    /* bytes from SP after that return to the wrapper's own return address (pcsp) */
    __u32 pad;
};

#endif
