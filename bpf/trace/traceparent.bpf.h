/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The header `traceparent` of W3C Trace Context: version-traceid-parentid-flags, in lower-case hexadecimal.
 */
#pragma once

#include "trace/hit.bpf.h"

#define TRACEPARENT_LENGTH 55 /* of version 00; later ones may go on after another dash */
#define TRACE_ID_AT 3
#define SPAN_ID_AT 36
#define FLAGS_AT 53

#define NAME_LENGTH 11
#define NAME_START 0x7261706563617274ULL /* "tracepar" */
#define NAME_END 0x746e65ULL             /* "ent" */
#define LARGE_LETTER 0x20 /* not set in it: HTTP/1 writes the first letter large, HTTP/2 small */

/* Whether a Go string is the header's name. */
__noinline int is_traceparent_name(__u64 text, __u64 length) {
    __u64 name[2] = {};
    if (length != NAME_LENGTH || read_user(name, NAME_LENGTH, text))
        return 0;
    return (name[0] | LARGE_LETTER) == NAME_START && name[1] == NAME_END;
}

/* The value of a hexadecimal digit; more than 15 for anything else. */
static __always_inline __u32 digit_value(__u8 digit) {
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : 16;
}

/* The byte that two digits write; more than 255 for anything else. */
static __always_inline __u32 byte_at(const __u8 *text, __u32 at) {
    __u32 high = digit_value(text[at]), low = digit_value(text[at + 1]);
    return (high | low) > 15 ? 256 : high << 4 | low;
}

/* Eight bytes, from 16 digits of the hit's text; raises *invalid when they are none. */
__noinline __u64 word_at(const struct trace_hit *hit, __u32 at, __u32 *invalid) {
    __u64 word = 0;
    if (!hit || !invalid)
        return 0;
    at = within(at, TEXT_BYTES - 16);
    for (int i = 0; i < 8; i++) {
        __u32 byte = byte_at(hit->text, at + 2 * i);
        *invalid |= byte > 255;
        word |= (__u64)(byte & 0xff) << (8 * i);
    }
    return word;
}

/* Whether version, dashes and the end of the hit's text are as they must be. */
static __always_inline int has_valid_form(const struct trace_hit *hit, __u64 length) {
    __u32 version = byte_at(hit->text, 0);
    if (version > 254 ||
        (length > TRACEPARENT_LENGTH && (version == 0 || hit->text[TRACEPARENT_LENGTH] != '-')))
        return 0;
    return hit->text[TRACE_ID_AT - 1] == '-' && hit->text[SPAN_ID_AT - 1] == '-' &&
           hit->text[FLAGS_AT - 1] == '-';
}

/* Sets the hit's ids to a header's value; 0 on success. What the specification calls invalid is no trace. */
__noinline int parse_traceparent(struct trace_hit *hit, __u64 text, __u64 length) {
    __u32 invalid = 0;
    if (!hit || length < TRACEPARENT_LENGTH)
        return 1;
    /* One character more than version 00 has, if there is one. */
    __u32 read = length > TRACEPARENT_LENGTH ? TRACEPARENT_LENGTH + 1 : TRACEPARENT_LENGTH;
    if (read_user(hit->text, read, text) || !has_valid_form(hit, length))
        return 1;
    hit->ids.trace[0] = word_at(hit, TRACE_ID_AT, &invalid);
    hit->ids.trace[1] = word_at(hit, TRACE_ID_AT + 16, &invalid);
    hit->ids.span = word_at(hit, SPAN_ID_AT, &invalid);
    hit->ids.flags = byte_at(hit->text, FLAGS_AT);
    return invalid || hit->ids.flags > 255 || !(hit->ids.trace[0] | hit->ids.trace[1]) || !hit->ids.span;
}
