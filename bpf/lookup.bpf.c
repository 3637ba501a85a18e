/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program behind every probe site: it takes a lookup's arguments from where the planner proved them to
 * be, performs the lookup once more on the target's memory, and counts what it found.
 *
 * Built twice, see lib/memory.bpf.h.
 */
#include "counts/aggregate.bpf.h"
#include "gomap/caller.bpf.h"
#include "gomap/decode.bpf.h"
#include "gomap/hit.bpf.h"
#include "counts/exemplar.bpf.h"
#include "counts/goroutine_cost.bpf.h"
#include "counts/span_cost.bpf.h"
#include "counts/spike.bpf.h"
#include "lib/timing.bpf.h"
#include "counts/window.bpf.h"

/* The number plus one of the only site at this offset in its page; else 0. */
const volatile __u8 sites_by_offset[PAGE_BYTES];

/* Counts a lookup for those who made it: its goroutine and its span. */
__noinline int count_for_makers(const struct lookup *l) {
    __u32 zero = 0;
    struct window_control *control = bpf_map_lookup_elem(&window_controls, &zero);
    if (!l || !control)
        return 0;
    __u64 goroutine = goroutine_id(l->g);
    __u32 cycle = control->cost_cycle;
    if (goroutines.with_costs)
        count_for_goroutine(l, goroutine, cycle);
    if (goroutines.with_span_costs)
        count_for_span(l, goroutine, cycle & 1);
    return 0;
}

/* What else is recorded of a lookup that has been counted in `stats`. */
static __always_inline void record_more(struct lookup *l, struct lookup_stats *stats) {
    if (goroutines.with_costs || goroutines.with_span_costs)
        count_for_makers(l);
    if (goroutines.with_exemplars)
        offer_exemplar(l, stats);
    if (spikes.enabled)
        check_spike(l, stats);
}

/* Counts a decoded lookup in the CPU's own aggregate; 1 if it has none. */
static __always_inline int record_own(struct lookup *l) {
    if (!l->scratch.own)
        return 1;
    struct lookup_stats *stats = find_own(l);
    if (!stats)
        return 1;
    count_in(stats, l, 0);
    record_more(l, stats);
    return 0;
}

/* Counts a decoded lookup in the aggregate of those that have no room of their own. */
__noinline outcome record_other(struct lookup *l) {
    struct lookup_stats *stats = l ? find_others(l) : NULL;
    if (!stats)
        return COUNTER_DROPPED_TABLE_FULL;
    count_in(stats, l, 1);
    record_more(l, stats);
    return DECODED;
}

/* Counts a decoded lookup in an aggregate that all share. */
__noinline outcome record_shared(struct lookup *l) {
    if (!l)
        return COUNTER_DROPPED_TABLE_FULL;
    struct lookup_stats *stats = find_shared(l);
    if (!stats)
        return COUNTER_DROPPED_TABLE_FULL;
    count_in(stats, l, 1);
    record_more(l, stats);
    return DECODED;
}

/*
 * The number of the site that is hit: by the place within its page, which the load bias does not change,
 * where no other site has the same one; else by the cookie, which is a call.
 */
static __always_inline __u32 site_number(struct pt_regs *regs) {
    __u8 only = sites_by_offset[regs->rip & (PAGE_BYTES - 1)];
    return only ? only - 1 : bpf_get_attach_cookie(regs);
}

/* Notes which site a hit is of, as a sample: those whose time is taken. */
static __always_inline void sample_site(const struct lookup *l, __u32 site) {
    struct cpu_state *cpu = l->started ? this_cpu() : NULL;
    if (cpu)
        cpu->site_hits[site & (MAX_PROBE_SITES - 1)]++;
}

static __always_inline outcome observe(struct pt_regs *regs, struct lookup *l) {
    __u32 number = site_number(regs) & (MAX_PROBE_SITES - 1);
    sample_site(l, number);
    outcome failure = decode(regs, &probe_sites[number], l);
    __u64 caller;
    if (!failure)
        failure = find_caller(l, &caller);
    if (failure)
        return failure;
    /* A return address may be anything, but not another function's count. */
    l->name.caller = (caller & ((1ULL << CALLER_HIT_SHIFT) - 1)) |
                     (__u64)l->function << CALLER_FUNCTION_SHIFT | (__u64)l->hit << CALLER_HIT_SHIFT;
    if (!record_own(l))
        return DECODED;
    failure = record_shared(l);
    return failure ? record_other(l) : DECODED;
}

/* Counts a hit that is not decoded. */
static __always_inline int end_early(struct cpu_state *cpu, enum counter reason) {
    add(&cpu->counters[COUNTER_HITS], 1);
    add(&cpu->counters[reason], 1);
    return 0;
}

SEC("uprobe")
int lookup(struct pt_regs *regs) {
    struct cpu_state *cpu = this_cpu();
    if (!cpu)
        return 0;
    if (!window_is_open(cpu))
        return end_early(cpu, COUNTER_WINDOW_CLOSED);
    struct lookup *l = take_lookup();
    if (!l)
        return end_early(cpu, COUNTER_DROPPED_NO_SLOT);
    if (l->scratch.own)
        cpu->own_hits++;
    else
        add(&cpu->counters[COUNTER_HITS], 1);
    l->started = timing_start(cpu->own_hits);
    outcome failure = observe(regs, l);
    barrier_var(l);
    cpu = this_cpu();
    if (cpu && l->resumes)
        add(&cpu->resumed, 1);
    if (cpu && l->type_is_lost)
        add(&cpu->lost_types, 1);
    if (cpu)
        timing_end(l->started, l->work, &cpu->timed_hits, &cpu->timed_ns);
    release_scratch(&l->scratch);
    if (cpu && failure)
        add(&cpu->counters[within(failure, COUNTER_COUNT)], 1);
    return 0;
}
