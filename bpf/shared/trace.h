/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Following spans (trace.bpf.c): which span is current on which goroutine, from probes where spans begin and
 * end.
 */
#ifndef MAPSCOPE_SHARED_TRACE_H
#define MAPSCOPE_SHARED_TRACE_H

#include <linux/types.h>

#include "trace_id.h"

/* What a probe site of the trace program sees, and what the subject's register holds there. */
enum trace_event {
    TRACE_SPAN_START = 0,      /* OpenTelemetry SDK: a recording span has been made; the span */
    TRACE_SPAN_END = 1,        /* OpenTelemetry SDK: a recording span ends; the span */
    TRACE_GOROUTINE_START = 2, /* a go statement has made a goroutine; its g */
    TRACE_HTTP_REQUEST = 3,    /* net/http or x/net/http2 calls the handler; the *http.Request */
    TRACE_HTTP_DONE = 4,       /* the handler has returned; none */
    TRACE_GRPC_HEADERS = 5,    /* grpc has read a stream's headers; the transport, and the frame as object */
    TRACE_GRPC_REQUEST = 6,    /* grpc handles a stream; the transport, and the stream as object */
    TRACE_GRPC_DONE = 7,       /* the handler has returned, its status is sent; none */
    TRACE_EVENTS,
};

/* The cookie of a site of the trace program: its event and, from the bits given, numbers of registers. */
enum trace_cookie {
    TRACE_COOKIE_EVENT = 0xff, /* a mask */
    TRACE_COOKIE_SUBJECT = 8,
    TRACE_COOKIE_OBJECT = 12,
    TRACE_COOKIE_OFFSET = 32, /* of an http request's header, in what the subject's register points to */
};

/* What is read at once of a request's header: one bucket or group of a map, or some fields of a frame. */
enum trace_block {
    TRACE_BLOCK_BYTES = 512,
    TRACE_FIELDS_PER_BLOCK = 8,
};

/* Where structures hold what the trace program reads; offsets in bytes. */
struct trace_layout {
    __u32 trace_id; /* in the SDK's recordingSpan */
    __u32 span_id;
    __u32 trace_flags;
    __u32 header_keys; /* in a group or bucket of an http header, a map[string][]string: the first key ... */
    __u32 header_key_stride;
    __u32 header_elems; /* ... and the first element */
    __u32 header_elem_stride;
    __u32 header_group_size;
    __u32 swiss_headers; /* it is a Swiss map */
    __u32 frame_fields;  /* in http2.MetaHeadersFrame: a slice of hpack.HeaderField */
    __u32 field_size;    /* of an hpack.HeaderField, in which are two strings: */
    __u32 field_name;
    __u32 field_value;
    __u32 frame_headers;   /* in MetaHeadersFrame: pointer to the HeadersFrame, ... */
    __u32 frame_stream_id; /* ... and in that, the stream's id */
    __u32 stream_is_inner; /* grpc's ServerStream points to the Stream with the id, at stream_inner */
    __u32 stream_inner;
    __u32 stream_id;
};

/*
 * A span that has begun. The key in the map span_contexts is its handle, a number no other span has; the
 * handle in the value betrays an entry that the kernel reused for another span while it was read.
 */
struct span_context {
    __u64 handle; /* 0 while the entry is being written */
    __u64 outer;  /* handle of the span that was current before, to which its end returns */
    __u64 goroutine;
    __u32 generation;
    __u8 ended;
    __u8 sampled;    /* enum sampled */
    __u8 is_request; /* the caller's span that a request came with */
    __u8 pad;
    __u8 trace_id[TRACE_ID_BYTES];
    __u8 span_id[SPAN_ID_BYTES];
};

/* What is current on a goroutine; the key in the map goroutine_spans is its id. */
struct goroutine_span {
    __u64 goroutine;
    __u64 current;   /* handle of the innermost span, which may have ended */
    __u64 request;   /* handle of the span that the request came with that is handled; 0: none */
    __u32 inherited; /* the span is that of the goroutine's creator */
    __u32 pad;
};

/* Set by user space while the trace program runs. */
struct trace_control {
    __u32 generation; /* number of the attach; 0 while not all probes are in: ends of spans may be missed */
    __u32 pad;
};

/* Each CPU's counters of what the trace program met. */
struct trace_counts {
    __u64 events[TRACE_EVENTS];
    __u64 unreadable;    /* memory of the target could not be read */
    __u64 unknown_spans; /* ends of spans whose start was not seen, or that were forgotten */
    __u64 dropped;       /* the kernel had no room for a span */
    __u64 spanned;       /* requests that got a span of the SDK on their goroutine */
    __u64 of_next_image; /* hits after the process has executed another program; in no other counter */
    __u64 timed_hits;    /* some of the events, and how long they took, in ns */
    __u64 timed_ns;
};

/* What another tool (OBI) says of a thread; value of its pinned map traces_ctx_v1, key the kernel's pid_tgid.
 */
struct thread_context {
    __u8 trace_id[TRACE_ID_BYTES];
    __u8 span_id[SPAN_ID_BYTES];
};

#endif
