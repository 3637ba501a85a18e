/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Follows spans: probes where they, requests and goroutines begin and end keep the maps of
 * who/span_context.bpf.h up to date. It runs beside the lookup program, attached for as long as span contexts
 * are wanted, and costs one trap per event. It follows one image of the process: from an execve() on it
 * counts what is hit, which costs the process a trap still, and does no more.
 *
 * What it reads has just been written by the target, so it need not be able to wait for pages.
 */
#define SLEEPABLE 0
#include "lib/image.bpf.h"
#include "lib/registers.bpf.h"
#include "lib/timing.bpf.h"
#include "trace/grpc.bpf.h"
#include "trace/http.bpf.h"

static __always_inline void follow(struct trace_hit *hit, struct pt_regs *regs, __u64 cookie) {
    __u64 subject = read_register(regs, cookie >> TRACE_COOKIE_SUBJECT);
    __u64 g = regs->r14; /* cmd/compile/abi-internal.md */
    switch (cookie & TRACE_COOKIE_EVENT) {
    case TRACE_SPAN_START:
        span_started(hit, subject, g);
        break;
    case TRACE_SPAN_END:
        span_ended(hit, subject);
        break;
    case TRACE_GOROUTINE_START:
        goroutine_started(hit, subject, g);
        break;
    case TRACE_HTTP_REQUEST:
        http_request(hit, subject, cookie >> TRACE_COOKIE_OFFSET, g);
        break;
    case TRACE_GRPC_HEADERS:
        grpc_headers(hit, subject, read_register(regs, cookie >> TRACE_COOKIE_OBJECT));
        break;
    case TRACE_GRPC_REQUEST:
        grpc_request(hit, subject, read_register(regs, cookie >> TRACE_COOKIE_OBJECT), g);
        break;
    case TRACE_HTTP_DONE:
    case TRACE_GRPC_DONE:
        request_done(g);
        break;
    }
}

SEC("uprobe")
int trace(struct pt_regs *regs) {
    __u64 cookie = bpf_get_attach_cookie(regs);
    struct trace_counts *counts = trace_counts();
    if (!counts)
        return 0;
    if (!image_goes_on()) {
        __sync_fetch_and_add(&counts->of_next_image, 1);
        return 0;
    }
    __u64 *events = &counts->events[within(cookie & TRACE_COOKIE_EVENT, TRACE_EVENTS)];
    __u64 start = timing_start(__sync_add_and_fetch(events, 1));
    struct trace_hit *hit = take_scratch(&trace_scratch);
    if (!hit) {
        COUNT(dropped);
        return 0;
    }
    follow(hit, regs, cookie);
    release_scratch(&hit->scratch);
    counts = trace_counts(); /* once more: there is no room on the stack to keep it */
    if (counts)
        timing_end(start, 0, &counts->timed_hits, &counts->timed_ns);
    return 0;
}
