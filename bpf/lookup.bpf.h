/*
 * The program behind every probe site: it takes a lookup's arguments from where the planner proved them to
 * be, performs the lookup once more on the target's memory, and counts what it found.
 */
#pragma once

#include "aggregate.bpf.h"
#include "caller.bpf.h"
#include "decode.bpf.h"
#include "exemplar.bpf.h"
#include "goroutine_cost.bpf.h"
#include "span_cost.bpf.h"
#include "spike.bpf.h"
#include "window.bpf.h"
#include "work.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Counts a decoded lookup in its aggregate. */
separate outcome record(struct lookup *l) {
    if (!l)
        return COUNTER_DROPPED_TABLE_FULL;
    struct lookup_key name = l->name;
    struct lookup_stats *stats = find_or_create(&name);
    if (!stats)
        return COUNTER_DROPPED_TABLE_FULL;
    count_lookup(l, stats);
    if (goroutines.with_costs)
        count_for_goroutine(l);
    if (goroutines.with_span_costs)
        count_for_span(l);
    if (goroutines.with_exemplars)
        offer_exemplar(l, stats);
    if (spikes.enabled)
        check_spike(l, stats);
    return DECODED;
}

inline_always outcome observe(struct pt_regs *regs, struct lookup *l) {
    __u64 cookie = bpf_get_attach_cookie(regs);
    const volatile struct probe_site *site = &probe_sites[cookie & (MAX_PROBE_SITES - 1)];
    outcome failure = decode(regs, site, l);
    if (failure)
        return failure;
    l->name.caller = find_caller(l->entry.word[0], regs->rsp + site->return_offset + sizeof(__u64), l->bias);
    l->name.caller |= (__u64)site->lookup_function << CALLER_FUNCTION_SHIFT | (__u64)l->hit
                                                                                  << CALLER_HIT_SHIFT;
    return record(l);
}

inline_always outcome observe_in_slot(struct pt_regs *regs) {
    struct lookup *l = take_slot();
    if (!l)
        return COUNTER_DROPPED_NO_SLOT;
    outcome failure = observe(regs, l);
    return_slot(l);
    return failure;
}

SEC("uprobe")
int lookup(struct pt_regs *regs) {
    struct cpu_state *cpu = this_cpu();
    if (!cpu)
        return 0;
    add(&cpu->counters[COUNTER_HITS], 1);
    if (!window_is_open(cpu)) {
        add(&cpu->counters[COUNTER_WINDOW_CLOSED], 1);
        return 0;
    }
    __u64 start = timing_start(cpu);
    outcome failure = observe_in_slot(regs);
    timing_end(cpu, start);
    if (failure)
        add(&cpu->counters[within(failure, COUNTER_COUNT)], 1);
    return 0;
}
