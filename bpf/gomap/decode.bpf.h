/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decoding one lookup at a probe site: its arguments, then the lookup once more on the target's memory.
 */
#pragma once

#include "gomap/arguments.bpf.h"
#include "gomap/classic.bpf.h"
#include "gomap/map_type.bpf.h"
#include "gomap/swiss.bpf.h"
#include "gomap/target.bpf.h"

/* Fills the scratch with what the lookup did. */
static __always_inline outcome decode(const struct pt_regs *regs, const volatile struct probe_site *site,
                                      struct lookup *l) {
    outcome failure = read_arguments(regs, site, l);
    if (!failure)
        failure = find_map_type(l);
    if (failure)
        return failure;
    failure = layout.implementation == MAPS_SWISS ? look_up_swiss(l) : look_up_classic(l);
    return has_overspent(l) ? COUNTER_DROPPED_TOO_MUCH_WORK : failure;
}
