/*
 * The header `traceparent` of W3C Trace Context: version-traceid-parentid-flags, in lower-case hexadecimal.
 */
#pragma once

#include "trace_work.bpf.h"

#define TRACEPARENT_LENGTH 55 /* of version 00; later ones may go on after another dash */
#define TRACE_ID_AT 3
#define SPAN_ID_AT 36
#define FLAGS_AT 53

#define NAME_LENGTH 11
#define NAME_START 0x7261706563617274ULL /* "tracepar" */
#define NAME_END 0x746e65ULL             /* "ent" */
#define LARGE_LETTER 0x20 /* not set in it: HTTP/1 writes the first letter large, HTTP/2 small */

/* Whether a Go string is the header's name. */
separate int is_traceparent_name(__u64 text, __u64 length) {
    __u64 name[2] = {};
    if (length != NAME_LENGTH || read_user(name, NAME_LENGTH, text))
        return 0;
    return (name[0] | LARGE_LETTER) == NAME_START && name[1] == NAME_END;
}

/* The value of a hexadecimal digit; more than 15 for anything else. */
inline_always __u32 digit_value(__u8 digit) {
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : 16;
}

/* `count` (2 or 8) digits at `text` as bytes in the order they are written; 0 on success. */
separate int read_digits(__u32 *to, __u64 text, __u32 count) {
    __u8 digits[8] = {'0', '0', '0', '0', '0', '0', '0', '0'};
    if (!to || read_user(digits, within(count, sizeof(digits) + 1), text))
        return 1;
    __u32 value = 0, invalid = 0;
    for (int i = 0; i < 4; i++) {
        __u32 high = digit_value(digits[2 * i]), low = digit_value(digits[2 * i + 1]);
        invalid |= high | low;
        value |= (high << 4 | low) << (8 * i);
    }
    *to = value;
    return invalid > 15;
}

/* Whether there is a dash at `text`. */
separate int is_dash(__u64 text) {
    char character;
    return !read_user(&character, 1, text) && character == '-';
}

/* Whether version, length and dashes are as they must be. */
inline_always int has_valid_form(__u64 text, __u64 length) {
    __u32 version;
    if (length < TRACEPARENT_LENGTH || read_digits(&version, text, 2) || version == 0xff)
        return 0;
    if (length > TRACEPARENT_LENGTH && (version == 0 || !is_dash(text + TRACEPARENT_LENGTH)))
        return 0;
    return is_dash(text + TRACE_ID_AT - 1) && is_dash(text + SPAN_ID_AT - 1) && is_dash(text + FLAGS_AT - 1);
}

/* Reads a header's value; 0 on success. What the specification calls invalid is no trace. */
separate int parse_traceparent(struct span_ids *to, __u64 text, __u64 length) {
    if (!to || !has_valid_form(text, length))
        return 1;
    __u32 word, invalid = 0;
    for (int i = 0; i < 4; i++) {
        invalid |= read_digits(&word, text + TRACE_ID_AT + 8 * i, 8);
        to->trace[i / 2] = i % 2 ? to->trace[i / 2] | (__u64)word << 32 : word;
    }
    invalid |= read_digits(&word, text + SPAN_ID_AT, 8);
    to->span = word;
    invalid |= read_digits(&word, text + SPAN_ID_AT + 8, 8);
    to->span |= (__u64)word << 32;
    invalid |= read_digits(&word, text + FLAGS_AT, 2);
    to->flags = word;
    return invalid || !(to->trace[0] | to->trace[1]) || !to->span;
}
