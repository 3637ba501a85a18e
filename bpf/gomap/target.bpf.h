/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What user space sets before the program is loaded. The verifier knows these values: branches on them cost
 * nothing.
 */
#pragma once

#include "lib/common.bpf.h"
#include "shared/goroutine.h"
#include "shared/map_type.h"
#include "shared/site.h"

const volatile struct probe_site probe_sites[MAX_PROBE_SITES];
const volatile struct target_layout layout;
const volatile struct goroutine_layout goroutines;
