/*
 * Follows spans: probes where they, requests and goroutines begin and end keep the maps of spancontext.bpf.h
 * up to date. It runs beside the lookup program, attached for as long as span contexts are wanted, and costs
 * one trap per event.
 *
 * What it reads has just been written by the target, so it need not be able to wait for pages.
 */
#define SLEEPABLE 0
#include "timing.bpf.h"
#include "trace_grpc.bpf.h"
#include "trace_http.bpf.h"

char LICENSE[] SEC("license") = "GPL";

inline_always void follow(struct trace_hit *hit, struct pt_regs *regs, __u64 cookie) {
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

/* Now, in ns, for one of 2^TIMED_HITS_LOG2 events; 0 for the others. */
inline_always __u64 timing_start(void) {
    return bpf_get_prandom_u32() & ((1U << TIMED_HITS_LOG2) - 1) ? 0 : bpf_ktime_get_ns();
}

SEC("uprobe")
int trace(struct pt_regs *regs) {
    __u64 cookie = bpf_get_attach_cookie(regs);
    struct trace_counts *counts = trace_counts();
    if (!counts)
        return 0;
    __sync_fetch_and_add(&counts->events[within(cookie & TRACE_COOKIE_EVENT, TRACE_EVENTS)], 1);
    __u64 start = timing_start();
    struct trace_hit *hit = take_trace_slot();
    if (!hit)
        return COUNT(dropped);
    follow(hit, regs, cookie);
    return_trace_slot(hit);
    timing_end(start, &counts->timed_hits, &counts->timed_ns);
    return 0;
}
