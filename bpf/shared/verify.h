/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Verification (verify.bpf.c): what a lookup was decoded to is compared with what the function then returned.
 */
#ifndef MAPSCOPE_SHARED_VERIFY_H
#define MAPSCOPE_SHARED_VERIFY_H

#include <linux/types.h>

enum verify_limits {
    MAX_LOOKUP_FUNCTIONS = 32, /* whose returns are watched */
    SHOWN_DISAGREEMENTS = 4,   /* recorded in detail, per lookup function */
    MAX_PREDICTIONS = 8192,    /* lookups that have been decoded and have not returned */
};

/* Set in the cookie of a return instruction; the rest is the lookup function. */
enum return_cookie { RETURN_COOKIE = 0x10000 };

/* What a lookup function returns. */
enum lookup_result {
    RESULT_ELEM = 0,       /* mapaccess1*: the element's address, or that of a zero value */
    RESULT_ELEM_FOUND = 1, /* mapaccess2*: the same, and whether it was found */
    RESULT_KEY_ELEM = 2,   /* mapaccessK: the addresses of key and element, or nil twice */
};

struct verified_function {
    __u8 result;           /* enum lookup_result */
    __u8 gives_zero_value; /* a miss returns the address of runtime.zeroVal, not one that the caller passed */
    __u8 pad[6];
};

/* Facts that only verification needs. Addresses are link-time ones. */
struct verify_layout {
    __u64 lookups;    /* to be checked of each function */
    __u64 zero_value; /* address of runtime.zeroVal; 0: not known */
    __u64 data_start; /* the program's variables: where a zero value must be, and no map ever is */
    __u64 data_end;
};

/* Where elements are; key of the map `element_places` is the map type descriptor's address. */
struct element_place {
    __u32 elems_offset; /* of element 0 within a group or bucket */
    __u32 elem_stride;
    __u8 indirect_elem; /* the slot holds a pointer to the element */
    __u8 pad[3];
};

/*
 * Set by user space: raised before each attach, for what was predicted before is no longer true; 0 before
 * each detach, for the kernel takes breakpoints out one by one, and a lookup whose return is missed must not
 * be taken for the next one.
 */
struct verify_control {
    __u64 generation;
};

/* What becomes of the lookups of a function. Every prediction ends in at most one of those after PREDICTED.
 */
enum verify_outcome {
    VERIFY_RETURNS = 0, /* hits of the function's return instructions, whatever was looked up */
    VERIFY_UNREADABLE,  /* memory of the target could not be read, so nothing was predicted */
    VERIFY_TOO_LONG,    /* the lookup did not end within what a hit may do */
    VERIFY_UNCERTAIN,   /* the key's equality is not known, and so neither is the result */
    VERIFY_NO_ROOM,     /* too many lookups under way */
    VERIFY_PREDICTED,
    VERIFY_AGREED,
    VERIFY_AGREED_ZERO_UNKNOWN, /* a miss that returned a static address, whether runtime.zeroVal is not known
                                 */
    VERIFY_DISAGREED,
    VERIFY_ABANDONED, /* the lookup never returned, and another one was found in its place */
    VERIFY_SURPLUS,   /* after as many as wanted */
    VERIFY_OUTCOMES,
};

/* Value of the per-CPU array `verify_results`; its index is the lookup function's. */
struct verify_counts {
    __u64 count[VERIFY_OUTCOMES];
};

/* A lookup whose function returned something else than was decoded. Addresses only, never what is there. */
struct disagreement {
    __u64 type;           /* as in struct lookup_key */
    __u64 return_address; /* in the caller, link-time */
    __u64 elem;           /* where the element was expected; 0: a miss was expected */
    __u64 key;            /* where the key was expected, for RESULT_KEY_ELEM */
    __u64 first_result;   /* what the function returned */
    __u64 second_result;
    __u32 used; /* not 0 */
    __u32 pad;
};

#endif
