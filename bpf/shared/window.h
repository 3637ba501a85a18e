/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Windows: when hits are decoded, and what each CPU counts meanwhile.
 */
#ifndef MAPSCOPE_SHARED_WINDOW_H
#define MAPSCOPE_SHARED_WINDOW_H

#include <linux/types.h>

#include "outcome.h"
#include "site.h"

/* Per-CPU counters, beside the aggregates. */
struct cpu_state {
    __u64 counters[COUNTER_COUNT];
    __u64 own_hits; /* of the owners of its own scratch, who add to it in turns; all others are in counters */
    __u64 window;   /* number of the window that window_hits belong to */
    __u64 window_hits;
    __u64 resumed;        /* hits of lookups that another site has deferred */
    __u64 lost_spikes;    /* there was no room for the spikes of another site, */
    __u64 lost_exemplars; /* nor for another candidate, */
    __u64 lost_types;     /* nor for what the lookup's map type, made at run time, is made of */
    __u64 timed_hits;     /* some of those decoded, and how long that took them, in ns */
    __u64 timed_ns;
    __u32 site_hits[MAX_PROBE_SITES]; /* the same ones, by probe site */
};

/*
 * Of each 16 hits, on average one is timed; one that took longer than it can have taken, with the work that
 * it did (bpf/gomap/hit.bpf.h), was interrupted, and counts as that.
 */
enum timing {
    TIMED_HITS_LOG2 = 4,
    LONGEST_TIMED_NS = 32768,
    LONGEST_WORK_NS = 512, /* more for each unit of work */
};

/*
 * Which hits of a window are decoded. Breakpoints are registered and unregistered one by one, while the
 * kernel takes its time: so user space opens the gate when all are registered, and closes it before the first
 * is unregistered. A CPU that reaches the hit limit closes it too, and says when.
 *
 * A hit may see an update half written. Number and limit are therefore written while the gate is closed and
 * nothing is attached, and nothing but the lowest byte of `open` changes while something is.
 */
struct window_gate {
    __u64 window;    /* its number */
    __u64 hit_limit; /* per CPU */
    __u32 open;      /* 1 or 0 */
    __u32 pad;
};

/*
 * The image whose hits are decoded. A process that executes another program is another image: its goroutines,
 * types and hash keys are others.
 */
struct observed_image {
    __u32 process;   /* the kernel's number of the process, from its first hit on; 0 before */
    __u32 has_ended; /* 1 from the moment on when it has executed another program */
};

/* What a CPU that has closed the gate sends to user space. */
struct window_end {
    __u64 window;
    __u64 time; /* CLOCK_MONOTONIC, ns */
};

/* Set by user space while the program runs. */
struct window_control {
    __u64 cycle;       /* raised at each read of the aggregates, from 1 */
    __u64 spike_cycle; /* raised at each read of the spikes, from 1 */
    __u64 cost_cycle;  /* from 1; odd ones count in the second of two tables (counts/goroutine_cost.bpf.h) */
};

#endif
