/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * What becomes of hits and lookups.
 */
#ifndef MAPSCOPE_SHARED_OUTCOME_H
#define MAPSCOPE_SHARED_OUTCOME_H

#include <linux/types.h>

/*
 * What becomes of hits. Every hit ends either in an aggregate or in exactly one of the counters other than
 * HITS.
 */
enum counter {
    COUNTER_HITS = 0,
    COUNTER_DEFERRED,      /* the same lookup goes on to a hashed site, which records it: see `resumed` */
    COUNTER_EMPTY,         /* the map was emptied between the function's check and the site */
    COUNTER_WINDOW_CLOSED, /* while the window's gate is closed */
    COUNTER_UNREADABLE_STACK,
    COUNTER_UNREADABLE_TYPE,
    COUNTER_UNREADABLE_MAP,
    COUNTER_UNREADABLE_TABLE,
    COUNTER_UNREADABLE_GROUP,
    COUNTER_UNREADABLE_KEY,
    COUNTER_DROPPED_TABLE_FULL,     /* there is no room for the aggregate of another call site */
    COUNTER_DROPPED_NO_SLOT,        /* more hits at once than there is scratch for */
    COUNTER_DROPPED_CHAIN_TOO_LONG, /* the probe sequence did not end within the bound */
    COUNTER_DROPPED_TOO_MUCH_WORK,  /* the lookup would have taken longer than a hit may */
    COUNTER_DROPPED_NO_HASH,        /* the map is hashed, and no site of this path knows the hash */
    COUNTER_COUNT,
};

/* Why a lookup's result or comparison count is not certain. The lookup is counted, and counted as inexact
 * too. */
enum inexact_reason {
    INEXACT_NONE = 0,
    INEXACT_DYNAMIC_TYPE,     /* an interface key of a type that was not known when the lookup was made */
    INEXACT_LONG_KEY,         /* keys equal as far as they were compared */
    INEXACT_RUNTIME_TYPE,     /* a map type made at run time by reflect */
    INEXACT_NO_HASH,          /* comparisons of a missed lookup in a small string map, hash not computable */
    INEXACT_NESTED_INTERFACE, /* an interface inside an interface's value */
    INEXACT_UNKNOWN_EQUALITY, /* the key's type has more parts than are compared */
    INEXACT_COUNT,
};

#endif
