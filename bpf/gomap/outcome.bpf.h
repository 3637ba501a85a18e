/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the functions that decode a lookup return.
 */
#pragma once

#include "lib/common.bpf.h"
#include "shared/outcome.h"

/* Why a hit yields no lookup: a counter to raise. 0 (COUNTER_HITS) stands for success. */
typedef __u32 outcome;
enum { DECODED = COUNTER_HITS };
