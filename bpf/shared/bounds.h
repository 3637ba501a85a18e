/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Bounds of the integer histograms: inclusive upper bounds, one more bucket above the last. Small counts have
 * a bucket each, because that is where probe lengths live and where a mean would hide what happens.
 */
#ifndef MAPSCOPE_SHARED_BOUNDS_H
#define MAPSCOPE_SHARED_BOUNDS_H

#include <linux/types.h>

enum histogram_sizes {
    COUNT_BUCKETS = 24, /* of probe length and key comparisons */
    DIRECT_BUCKETS = 8, /* the buckets up to this one hold one value each, which is their number */
    RATIO_BUCKETS = 11, /* tenths: 0.1, 0.2, ... 1.0, above */
};

/* Of COUNT_BUCKETS. A macro, because C has no constant arrays. */
#define COUNT_BOUNDS {0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024}

#endif
