/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hash tables by address that user space has laid out in array maps (ADDRESS_TRIES in shared/hash.h): looking
 * into an array costs a fraction of what a hash map's lookup does.
 */
#pragma once

#include "lib/common.bpf.h"
#include "shared/hash.h"

/* The place of an address in a table of this many; NULL when it has none, which is mostly seen at once. */
static __always_inline const void *find_address(void *table, __u32 places, __u64 address) {
    __u32 place = (address * HASH_MULTIPLIER) >> 32;
    for (__u32 i = 0; i < ADDRESS_TRIES; i++) {
        __u32 at = (place + i) & (places - 1);
        const __u64 *found = bpf_map_lookup_elem(table, &at);
        if (!found || !*found)
            break;
        if (*found == address)
            return found;
    }
    return NULL;
}
