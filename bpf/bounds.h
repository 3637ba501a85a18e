/*
 * Bounds of the integer histograms: inclusive upper bounds, one more bucket above the last. Small counts have
 * a bucket each, because that is where probe lengths live and where a mean would hide what happens.
 */
#ifndef MAPSCOPE_BOUNDS_H
#define MAPSCOPE_BOUNDS_H

#define COUNT_BOUNDS {0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256, 512, 1024}

#endif
