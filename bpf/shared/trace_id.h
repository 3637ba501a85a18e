/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Ids of traces and spans, as records hold them.
 */
#ifndef MAPSCOPE_SHARED_TRACE_ID_H
#define MAPSCOPE_SHARED_TRACE_ID_H

#include <linux/types.h>

enum id_sizes {
    TRACE_ID_TEXT = 32, /* hexadecimal digits */
    SPAN_ID_TEXT = 16,
    TRACE_ID_BYTES = 16,
    SPAN_ID_BYTES = 8,
};

/* How an id is encoded in a record. */
enum id_form {
    ID_NONE = 0,
    ID_TEXT = 1, /* hexadecimal digits, as in labels */
    ID_BINARY = 2,
};

/* What is known of whether a span is recorded. */
enum sampled {
    SAMPLED_UNKNOWN = 0,
    SAMPLED_NO = 1,
    SAMPLED_YES = 2,
};

#endif
