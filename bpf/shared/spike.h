/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Spikes (counts/spike.bpf.h): lookups whose probe length or key comparisons are above a limit.
 */
#ifndef MAPSCOPE_SHARED_SPIKE_H
#define MAPSCOPE_SHARED_SPIKE_H

#include <linux/types.h>

#include "exemplar.h"

enum spike_limits {
    SPIKES_KEPT = 8,           /* of each site in each cycle: the first ones */
    SPIKE_PLACES = 16,         /* for two cycles: one is read while the other is written */
    SPIKE_LEAST = 8,           /* under a relative limit nothing up to this is a spike, */
    SPIKE_LEAST_LOOKUPS = 100, /* nor anything before this many lookups have been counted */
    NO_SPIKE_LIMIT = 0xffffffffU,
};

struct spike_settings {
    __u32 enabled;
    __u32 fixed;  /* the limit; if 0, it is the mean of the lookups before of the same aggregate, */
    __u32 factor; /* times this */
    __u32 pad;
};

/* One spike: the lookup, the map's state at that moment, and the limits. It is complete once its cycle is
 * set. */
struct spike {
    struct exemplar lookup;
    __u64 entries; /* as in struct lookup (gomap/hit.bpf.h) */
    __u64 used;
    __u64 home;
    __u32 log2_buckets;
    __u32 log2_slots;
    __u32 overflow;
    __u32 tombstones;
    __u32 growing;
    __u32 probe_length_limit; /* NO_SPIKE_LIMIT: there was none */
    __u32 key_comparisons_limit;
    __u32 pad;
};

/* Value of the map spike_sites; the key is the aggregate's. */
struct spike_site {
    __u64 seen;                      /* since attach, never reset */
    __u64 places;                    /* a cycle and, in the lowest byte, how many places were taken in it */
    struct spike kept[SPIKE_PLACES]; /* of even cycles, then of odd ones */
};

#endif
