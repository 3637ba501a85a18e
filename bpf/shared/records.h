/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The records that the BPF programs and user space share: plain C, fixed-width types, no pointers. Each
 * layout is written down in one of these headers and nowhere else. Constants are enumerators: BTF holds no
 * macros, and from BTF user space can read every name, offset and value (records.bpf.c).
 */
#ifndef MAPSCOPE_SHARED_RECORDS_H
#define MAPSCOPE_SHARED_RECORDS_H

#include <linux/types.h>

#include "bounds.h"
#include "cost.h"
#include "exemplar.h"
#include "goroutine.h"
#include "hash.h"
#include "map_type.h"
#include "outcome.h"
#include "site.h"
#include "spike.h"
#include "stats.h"
#include "trace.h"
#include "trace_id.h"
#include "verify.h"
#include "window.h"

#endif
